"""When somebody over HTTP says that they may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
"""Seconds of a Retry-After that are believed."""


def retry_after(written: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 10.2.3: seconds or a date); None where it says nothing."""
    if not written:
        return None
    if written.strip().isdecimal():
        seconds = float(written.strip()[:9])
    else:
        try:
            date = parsedate_to_datetime(written)
        except ValueError:
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)
