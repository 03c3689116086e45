"""应急广播, platform to platform: EBD packages over HTTP (GY/T 383-389, GD/J 079-089)."""

from channels.loudspeaker.ebd.plugin import EbdPlugin

plugin = EbdPlugin()

__all__ = ["plugin"]
