"""Calls over a SIP trunk."""

from channels.voice.sip.plugin import SipPlugin

plugin = SipPlugin()

__all__ = ["plugin"]
