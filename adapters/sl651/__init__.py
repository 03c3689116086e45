"""SL 651-2014: hydrological stations that report to us in HEX frames over TCP or UDP."""

from adapters.sl651.sensor import plugin

__all__ = ["plugin"]
