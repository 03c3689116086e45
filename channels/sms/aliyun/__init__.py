"""阿里云短信: Alibaba Cloud's Short Message Service, API 2017-05-25."""

from channels.cloud.plugin import CloudPlugin
from channels.sms.aliyun.callback import read_callback
from channels.sms.aliyun.provider import Aliyun
from channels.sms.aliyun.settings import AliyunOptions

plugin = CloudPlugin("aliyun", AliyunOptions, Aliyun, read_callback)

__all__ = ["plugin"]
