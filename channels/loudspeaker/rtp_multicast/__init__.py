"""RTP multicast: G.711 to groups that loudspeakers and telephones listen to. Nothing comes back."""

from channels.loudspeaker.rtp_multicast.driver import RtpPlugin

plugin = RtpPlugin()

__all__ = ["plugin"]
