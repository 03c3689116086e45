"""Dates in a workbook: numbers, days since an epoch, and only their format tells (ECMA-376 part 1, 18.17.4)."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date, datetime, time, timedelta

EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 (a workbook knows no time zones)
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001

FICTION_ENDS = 60
"""Day 60 of the 1900 system is 29 February 1900, which never was; what is before it is a day later."""

BUILT_IN: Container[int] = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""The formats without a code of their own that show a date or time: 14 to 22 and 45 to 47 everywhere, 27 to 36 and 50
to 58 in Chinese, Japanese and Korean (18.8.30)."""

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
"""What a format shows as it stands, leaves room for or repeats, and its colours, conditions and locales; [h], [m] and
[s] are spans of time."""

_FIELD = re.compile("[dhmsy]", re.IGNORECASE)


def shows_date(code: str) -> bool:
    """Whether a number format shows a number as a date or a time; its first section decides."""
    return _FIELD.search(_LITERAL.sub("", code).partition(";")[0]) is not None


def iso(number: float, epoch: datetime) -> str:
    """The date, the time of day (below 1), or both, as ISO 8601, to the millisecond; ValueError or OverflowError when
    there is no such day."""
    days, share = divmod(number, 1)
    within = timedelta(milliseconds=round(share * 86_400_000))
    if days == 0 and not within.days:
        return (epoch + within).time().isoformat()
    if epoch == EPOCH_1900 and 0 < number < FICTION_ENDS:
        days += 1
    moment = epoch + timedelta(days=days) + within
    shown: datetime | date = moment.date() if moment.time() == time() else moment
    return shown.isoformat()
