"""SMPP 3.4, the short message protocol of most gateways and aggregators outside the carriers' own."""

from channels.sms.session.plugin import CarrierPlugin
from channels.sms.smpp.settings import SmppOptions

plugin = CarrierPlugin("smpp", SmppOptions)

__all__ = ["plugin"]
