"""腾讯云短信: Tencent Cloud's Short Message Service, API 2021-01-11."""

from channels.cloud.plugin import CloudPlugin
from channels.sms.tencent.callback import read_callback
from channels.sms.tencent.provider import Tencent
from channels.sms.tencent.settings import TencentOptions

plugin = CloudPlugin("tencent", TencentOptions, Tencent, read_callback)

__all__ = ["plugin"]
