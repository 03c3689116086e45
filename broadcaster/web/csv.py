"""Lines of CSV (RFC 4180) that a spreadsheet shows as text and never runs."""

from __future__ import annotations

from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def line(values: Iterable[str]) -> str:
    """One line, CRLF at its end. What a spreadsheet could take for a formula gets an apostrophe in front (OWASP)."""
    return ",".join(_cell(value) for value in values) + "\r\n"


def _cell(value: str) -> str:
    text = value.replace("\0", "")
    if text.startswith(_FORMULA):
        text = "'" + text
    if any(mark in text for mark in ',"\r\n;\t'):
        return '"' + text.replace('"', '""') + '"'
    return text
