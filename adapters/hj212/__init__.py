"""HJ 212-2017: monitors of pollution and gas that report to us over TCP."""

from adapters.hj212.sensor import plugin

__all__ = ["plugin"]
