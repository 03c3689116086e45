"""A failure's reason as the seven letters of a status report."""

from __future__ import annotations

import re

_STATUS = re.compile(r"[A-Z0-9:]{1,7}")

WORDS = {"空号": "MK:0001", "停机": "MK:0012", "关机": "MK:0027", "黑名单": "MA:0054"}
"""Some that carriers of this country have words for."""


def status(reason: str) -> bytes:
    """The script's reason itself where it is a status, the carriers' word where it is known, UNDELIV otherwise; DELIVRD
    without one."""
    if not reason:
        return b"DELIVRD"
    return (reason if _STATUS.fullmatch(reason) else WORDS.get(reason, "UNDELIV")).encode()
