"""Whom a 403 means. RFC 3261 (21.4.4) says only that it is of no use to ask again; trunks say so of a number that may
not be called, and of a customer who may not call: no credit, a caller's number or an address that they do not know.

In doubt it is we who are meant: then the call is put off, the gateway's breaker counts it, and another gateway calls.
It is the number that is meant once the trunk has let others through since it refused that number before.
"""

from __future__ import annotations

from broadcaster.recent import Recent

MOST = 20_000
"""Numbers of which is remembered that they were refused."""


class Refusals:
    """Those of one gateway in one process."""

    def __init__(self) -> None:
        self._passed = 0
        self._refused: Recent[str, int] = Recent(MOST)

    def passed(self) -> None:
        """The trunk has let a call through, whatever came of it there."""
        self._passed += 1

    def mean(self, number: str) -> bool:
        """A call to this number was refused: whether it is the number that is meant."""
        before = self._refused.get(number)
        if before is not None and self._passed > before:
            return True
        self._refused[number] = self._passed
        return False
