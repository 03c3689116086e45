"""When something was, as the providers write it."""

from __future__ import annotations

from datetime import UTC, datetime

from broadcaster.clock import BEIJING


def beijing(written: str, arrived: datetime) -> datetime:
    """`2017-01-01 00:00:00`, which is Beijing time, in UTC; `arrived` for anything else, and for what is in the
    future."""
    try:
        moment = datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).astimezone(UTC)
    except (ValueError, OverflowError):
        return arrived
    return min(moment, arrived)
