"""SGIP 1.2, China Unicom's short message protocol: reports and replies come on connections that the gateway opens."""

from channels.sms.session.plugin import CarrierPlugin
from channels.sms.sgip.settings import SgipOptions

plugin = CarrierPlugin("sgip", SgipOptions)

__all__ = ["plugin"]
