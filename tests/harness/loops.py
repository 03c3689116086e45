"""The end of a test's event loop: whoever is still connected is cut, and closed.

A server's side learns in a later turn that its client has gone, and a farewell takes its time: where the loop ends
before, the socket is left to the garbage collector, which complains in the midst of whatever test runs by then.
"""

from __future__ import annotations

import asyncio
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from typing import Any

TURNS = 3
"""Turns of a loop within which a transport that was broken off has closed its socket."""


def cut_at_the_end() -> None:
    """Have every loop of this process do so from now on."""
    ordinary: Callable[[Any], None] = BaseSelectorEventLoop.close

    def close(loop: Any) -> None:
        if not loop.is_closed() and not loop.is_running() and (left := list(loop._transports.values())):
            for transport in left:
                transport.abort()
            for _ in range(TURNS):
                loop.run_until_complete(asyncio.sleep(0))
        ordinary(loop)

    setattr(BaseSelectorEventLoop, "close", close)  # noqa: B010 (its stub names no such method)
