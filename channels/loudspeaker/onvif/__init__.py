"""ONVIF: cameras with a loudspeaker, over the audio backchannel of RTSP."""

from channels.loudspeaker.onvif.driver import OnvifPlugin

plugin = OnvifPlugin()

__all__ = ["plugin"]
