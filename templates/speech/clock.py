"""Times of day as Chinese says them: 03:20 → 凌晨三点二十分, 21:30 → 晚上九点三十分."""

from __future__ import annotations

from templates.speech.numerals import cardinal, quantity

PERIODS = (
    (5, "凌晨"),
    (8, "早上"),
    (11, "上午"),
    (13, "中午"),
    (18, "下午"),
    (24, "晚上"),
)
"""(hour before which it ends, name): the parts of the day, the hours 11 and 12 being noon."""

SPOKEN_PERIODS = (
    *("凌晨", "清晨", "早晨", "早上", "今早", "明早", "今晨", "明晨", "上午", "中午", "正午", "午后", "下午"),
    *("傍晚", "晚上", "今晚", "明晚", "昨晚", "夜间", "夜里", "深夜", "午夜", "半夜"),
)
"""Words that already say the part of the day, so that it is not said twice."""


def period(hour: int) -> str:
    """The part of the day that `hour` (0 to 24) lies in; 24 is midnight at its end."""
    if hour == 24:
        return "午夜"
    return next(name for end, name in PERIODS if hour < end)


def time_of_day(hour: int, minute: int | None = None, *, after: str = "") -> str:
    """`hour` 0 to 24; `minute` 0 to 59, None where only the hour is written. `after` is the
    text before it: a period that it names is not repeated.
    """
    named = "" if after.endswith(SPOKEN_PERIODS) else period(hour)
    return named + _hour(hour) + _minute(minute)


def _hour(hour: int) -> str:
    if hour == 24:
        return "十二点"
    return f"{quantity(str(hour - 12 if hour > 12 else hour))}点"


def _minute(minute: int | None) -> str:
    if minute is None:
        return ""
    if minute == 0:
        return "整"
    return f"零{cardinal(minute)}分" if minute < 10 else f"{cardinal(minute)}分"
