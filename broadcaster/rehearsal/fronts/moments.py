"""Validity periods as CMPP and SMPP write them: YYMMDDhhmmss, tenths, quarters of an hour from UTC, sign."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from broadcaster.clock import BEIJING

_PERIOD = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d)(\d{2})([+\-R])")

USUAL = timedelta(days=2)
"""How long a carrier tries when nothing is said."""

KNOWN = 1000


class Moments:
    """Reads them; what was read lately costs a look-up."""

    def __init__(self) -> None:
        self._known: dict[bytes, float] = {}

    def read(self, written: bytes) -> float:
        """The end in Unix seconds; zeros at the end count for nothing. What makes no sense is as good as nothing."""
        known = self._known.get(written)
        if known is not None:
            return known
        text = written.rstrip(b"\0").decode("ascii", "replace")
        found = until(text, datetime.now(UTC)).timestamp()
        if text.endswith(("+", "-")):
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[written] = found
        return found


def until(written: str, now: datetime) -> datetime:
    """The moment that `written` names, absolute or (R) from `now` on."""
    found = _PERIOD.fullmatch(written)
    if found is None:
        return now + USUAL
    years, months, days, hours, minutes, seconds, tenths, quarters = map(int, found.groups()[:-1])
    if found[9] == "R":
        return now + timedelta(days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds)
    distance = timedelta(minutes=15 * quarters) * (1 if found[9] == "+" else -1)
    try:
        zone = timezone(distance)
        return datetime(2000 + years, months, days, hours, minutes, seconds, 100_000 * tenths, zone)
    except ValueError:
        return now + USUAL


def minute(at: float) -> bytes:
    """Unix seconds as reports write them: YYMMDDhhmm, Beijing."""
    return datetime.fromtimestamp(at, UTC).astimezone(BEIJING).strftime("%y%m%d%H%M").encode()
