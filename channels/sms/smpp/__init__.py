"""SMPP 3.4, the short message protocol of most gateways and aggregators outside the carriers' own."""

from channels.sms.smpp.plugin import plugin

__all__ = ["plugin"]
