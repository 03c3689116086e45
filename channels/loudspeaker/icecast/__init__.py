"""Icecast: the broadcast as a live source, which receivers listen to that are no terminals of anybody."""

from channels.loudspeaker.icecast.driver import IcecastPlugin

plugin = IcecastPlugin()

__all__ = ["plugin"]
