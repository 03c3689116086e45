"""G.711 as RTP carries it (RFC 3551): which payload type is which, and how much of it is 20 ms."""

from __future__ import annotations

from channels.speech.track import FRAME, Line

RATE = 8000
"""Samples, and octets, per second."""

OCTETS = Line.A_LAW.frame_bytes
"""Of a packet."""

PERIOD = FRAME
"""Seconds of a packet."""

PAYLOAD_TYPES = {Line.A_LAW: 8, Line.MU_LAW: 0}
"""PCMA and PCMU."""
