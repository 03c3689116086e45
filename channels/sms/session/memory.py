"""What the connections of one account know together, in one process."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.sms.session.flight import Flight
from channels.sms.session.pieces import Pieces
from channels.sms.session.reports import Reports


@dataclass(frozen=True, slots=True)
class Memory:
    """Reports that are expected, replies of which parts are missing, what is in flight."""

    reports: Reports = field(default_factory=Reports)
    pieces: Pieces = field(default_factory=Pieces)
    flight: Flight = field(default_factory=Flight)
