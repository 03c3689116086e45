"""What our two ends of MQTT, the one that listens and the one that tells, have in common."""

from __future__ import annotations

import logging

QUIET = logging.getLogger("daohu.mqtt")
"""The library's own words: they name topics and addresses, and what matters of them is said where it is known."""

QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False

PLAIN_PORT, SECURE_PORT = 1883, 8883
