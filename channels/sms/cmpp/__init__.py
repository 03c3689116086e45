"""CMPP 2.0 and 3.0, China Mobile's short message protocol."""

from channels.sms.cmpp.plugin import plugin

__all__ = ["plugin"]
