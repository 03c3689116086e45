"""阿里云语音服务: Alibaba Cloud's Voice Messaging Service, API 2017-05-25."""

from broadcaster.ports import Medium
from channels.cloud.plugin import CloudPlugin
from channels.voice.aliyun_vms.callback import read_callback
from channels.voice.aliyun_vms.provider import AliyunVms
from channels.voice.aliyun_vms.settings import VmsOptions

plugin = CloudPlugin("aliyun_vms", VmsOptions, AliyunVms, read_callback, channel=Medium.VOICE)

__all__ = ["plugin"]
