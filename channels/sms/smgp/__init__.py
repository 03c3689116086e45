"""SMGP 3.0, China Telecom's short message protocol."""

from channels.sms.session.plugin import CarrierPlugin
from channels.sms.smgp.settings import SmgpOptions

plugin = CarrierPlugin("smgp", SmgpOptions)

__all__ = ["plugin"]
