"""The short code by which a reply names its alert when several are open: two digits, three or four when those are gone.

Only the digits 2 to 9 are used: "1" is the reply itself, and 0 is heard as a letter on the phone.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from broadcaster.errors import UnavailableError

_DIGITS = "23456789"


def next_code(taken: Collection[str], last: str | None) -> str:
    """The first free code after `last` in a circle, so that a code comes back as late as possible.

    `taken` are the codes of open alerts; raises `UnavailableError` when all 4,672 are.
    """
    for length in (2, 3, 4):
        circle = ["".join(digits) for digits in product(_DIGITS, repeat=length)]
        start = circle.index(last) + 1 if last in circle else 0
        for code in (*circle[start:], *circle[:start]):
            if code not in taken:
                return code
    raise UnavailableError("回复码已全部占用。", remedy="请先结束已经过去的预警。")
