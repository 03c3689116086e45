"""What an account owes its client: receipts and replies, sent again until the client says that they are stored."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, TypeVar

from channels.line.wire import Receipts, Replies

ROWS_PER_FRAME = 1000
ROWS_UNACKNOWLEDGED = 20_000
"""Rows on one connection that may wait for an acknowledgement before no more are sent on it."""

T = TypeVar("T")

Post: TypeAlias = Receipts | Replies


class Carrier(Protocol):
    """A connection that the outbox may use."""

    unacknowledged: int

    def takes_post(self) -> bool: ...

    def write(self, frame: Post) -> None: ...


class _OnItsWay:
    __slots__ = ("carrier", "post", "since")

    def __init__(self, carrier: Carrier, post: Post, since: float) -> None:
        self.carrier = carrier
        self.post = post
        self.since = since


class Outbox:
    """Frames with a number each, over whichever of the account's connections has room, in turn."""

    def __init__(
        self, carriers: Sequence[Carrier], acknowledged: Callable[[Post], None], redelivered: Callable[[Post], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._carriers = carriers
        self._acknowledged = acknowledged
        self._redelivered = redelivered
        self._queue: deque[Post] = deque()
        self._on_their_way: dict[int, _OnItsWay] = {}
        self._next_batch = 1
        self._turn = 0

    def add(self, posts: Iterable[Post]) -> None:
        """Queue `posts` (their batch numbers are given here) and send what can be sent."""
        for post in posts:
            post.batch = self._next_batch
            self._next_batch += 1
            self._queue.append(post)
        self.push()

    def push(self) -> None:
        """Send while there is something to send and a connection with room."""
        while self._queue and (carrier := self._free_carrier()) is not None:
            post = self._queue.popleft()
            self._on_their_way[post.batch] = _OnItsWay(carrier, post, self._loop.time())
            carrier.unacknowledged += len(post.rows)
            carrier.write(post)

    def acknowledge(self, batches: Iterable[int]) -> None:
        """The client has stored them; a number that is not on its way (any more) is no news."""
        for batch in batches:
            sent = self._on_their_way.pop(batch, None)
            if sent is not None:
                sent.carrier.unacknowledged -= len(sent.post.rows)
                self._acknowledged(sent.post)
        self.push()

    def carrier_gone(self, carrier: Carrier) -> None:
        """What was not acknowledged on it goes out again on another, or on the next to sign in."""
        self._take_back([sent for sent in self._on_their_way.values() if sent.carrier is carrier])

    def redeliver(self, older_than: float) -> None:
        """Send again what has waited for an acknowledgement longer than `older_than` seconds."""
        since = self._loop.time() - older_than
        self._take_back([sent for sent in self._on_their_way.values() if sent.since <= since])

    def _take_back(self, sent: list[_OnItsWay]) -> None:
        for one in reversed(sent):
            del self._on_their_way[one.post.batch]
            one.carrier.unacknowledged -= len(one.post.rows)
            self._queue.appendleft(one.post)
            self._redelivered(one.post)
        if sent:
            self.push()

    def _free_carrier(self) -> Carrier | None:
        for _ in range(len(self._carriers)):
            self._turn = (self._turn + 1) % len(self._carriers)
            carrier = self._carriers[self._turn]
            if carrier.unacknowledged < ROWS_UNACKNOWLEDGED and carrier.takes_post():
                return carrier
        return None


def split(rows: list[T], size: int = ROWS_PER_FRAME) -> list[list[T]]:
    """`rows` in lists of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
