"""Numbers as they are said in Mandarin: cardinals, digit by digit, decimals, and 两 before a measure word."""

from __future__ import annotations

DIGITS = "零一二三四五六七八九"
_TELEPHONE = str.maketrans("0123456789", "零幺二三四五六七八九")
_PLAIN = str.maketrans("0123456789", DIGITS)
_MYRIADS = ("", "万", "亿", "万亿")
_PLACES = ("千", "百", "十", "")
_LARGEST = 10**16


def digits(number: str) -> str:
    """Digit by digit, as years are said: 2026 → 二零二六."""
    return number.translate(_PLAIN)


def telephone(number: str) -> str:
    """Digit by digit with 幺 for one, as telephone, road and room numbers are said: 110 → 幺幺零."""
    return number.translate(_TELEPHONE)


def cardinal(number: int) -> str:
    """A whole number from 0 up: 10 → 十, 105 → 一百零五, 20300 → 两万零三百. Beyond 10¹⁶ it is said digit by digit."""
    if number >= _LARGEST:
        return digits(str(number))
    if number < 10:
        return DIGITS[number]
    groups: list[int] = []
    rest = number
    while rest:
        rest, group = divmod(rest, 10_000)
        groups.append(group)
    said = ""
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if group:
            said += _link(said, group) + _group(group, leads=not said, scaled=index > 0) + _MYRIADS[index]
    return said.removeprefix("一") if said.startswith("一十") else said


def decimal(number: str) -> str:
    """A number as written, digits with at most one point: 2.50 → 二点五零, 12 → 十二."""
    whole, _, fraction = number.partition(".")
    said = cardinal(int(whole))
    return f"{said}点{digits(fraction)}" if fraction else said


def quantity(number: str) -> str:
    """A number that counts something: like `decimal`, but 两 for exactly two (两户, 两小时)."""
    return "两" if number == "2" else decimal(number)


def _link(said: str, group: int) -> str:
    return "零" if said and group < 1000 else ""


def _group(group: int, *, leads: bool, scaled: bool) -> str:
    if group == 2 and scaled:
        return "两"
    said = ""
    gap = False
    for place, digit in zip(_PLACES, map(int, f"{group:04d}"), strict=True):
        if digit == 0:
            gap = bool(said)
            continue
        if gap:
            said += "零"
            gap = False
        said += _digit(digit, place, opens=leads and not said) + place
    return said


def _digit(digit: int, place: str, *, opens: bool) -> str:
    two_is_liang = digit == 2 and place in ("千", "百") and opens
    return "两" if two_is_liang else DIGITS[digit]
