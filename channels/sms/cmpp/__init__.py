"""CMPP 2.0 and 3.0, China Mobile's short message protocol."""

from channels.sms.cmpp.settings import CmppOptions
from channels.sms.session.plugin import CarrierPlugin

plugin = CarrierPlugin("cmpp", CmppOptions)

__all__ = ["plugin"]
