"""What an account owes its client: receipts and replies, sent again until the client says that they are stored."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from broadcaster.rehearsal.evidence import Proof
from channels.line.wire import ReplyRow

ROWS_PER_POST = 1000

T = TypeVar("T")

Word: TypeAlias = tuple[str, str, str, float, str]
"""What somebody wrote: its id, address, text, when (Unix seconds); or, with the task of a button, that they pressed it:
the text is then what the button answers."""

Row: TypeAlias = Proof | Word


def spoken(words: Sequence[Word]) -> list[ReplyRow]:
    """`words` as the line and the logbook have them."""
    return [word[:4] for word in words]


@dataclass(slots=True, eq=False)
class ReceiptPost:
    """Receipts, due at `at` (Unix seconds)."""

    at: float
    rows: list[Proof]
    number: int = 0


@dataclass(slots=True, eq=False)
class ReplyPost:
    """What people wrote."""

    rows: list[Word]
    number: int = 0


Post: TypeAlias = ReceiptPost | ReplyPost


class Carrier(Protocol):
    """A connection, or whatever else brings post to the client. `most_unacknowledged` rows may wait for an
    acknowledgement before it is given no more."""

    unacknowledged: int
    most_unacknowledged: int

    def takes_post(self) -> bool: ...

    def write(self, post: Post) -> None: ...

    def forget(self, post: Post) -> None:
        """Somebody else will bring it: leave in its rows only what was not acknowledged."""
        ...


class _OnItsWay:
    __slots__ = ("carrier", "left", "post", "since")

    def __init__(self, carrier: Carrier, post: Post, since: float) -> None:
        self.carrier = carrier
        self.left = len(post.rows)
        self.post = post
        self.since = since


class Outbox:
    """Posts with a number each, over whichever of the account's carriers has room, in turn. What people say goes first,
    and past receipts that nobody acknowledges. `acknowledged` is told of what the client has stored, `redelivered` of
    what goes out once more."""

    def __init__(
        self, carriers: Sequence[Carrier], acknowledged: Callable[[Post], None], redelivered: Callable[[Post], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._carriers = carriers
        self._acknowledged = acknowledged
        self._redelivered = redelivered
        self._said: deque[Post] = deque()
        self._owed: deque[Post] = deque()
        self._on_their_way: dict[int, _OnItsWay] = {}
        self._next_number = 1
        self._turn = 0

    def add(self, posts: Iterable[Post]) -> None:
        """Queue `posts` (their numbers are given here) and send what can be sent."""
        for post in posts:
            post.number = self._next_number
            self._next_number += 1
            self._queue(post).append(post)
        self.push()

    def push(self) -> None:
        """Send while there is something to send and a carrier with room."""
        for queue, share in ((self._said, 2), (self._owed, 1)):
            while queue and (carrier := self._free_carrier(share)) is not None:
                post = queue.popleft()
                self._on_their_way[post.number] = _OnItsWay(carrier, post, self._loop.time())
                carrier.unacknowledged += len(post.rows)
                carrier.write(post)

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The client has stored these posts; a number that is not on its way (any more) is no news."""
        for number in numbers:
            sent = self._on_their_way.pop(number, None)
            if sent is not None:
                sent.carrier.unacknowledged -= len(sent.post.rows)
                self._acknowledged(sent.post)
        self.push()

    def acknowledge_part(self, number: int, part: Post) -> None:
        """The client has stored `part` of a post."""
        sent = self._on_their_way.get(number)
        if sent is None:
            return
        sent.carrier.unacknowledged -= len(part.rows)
        sent.left -= len(part.rows)
        sent.since = self._loop.time()
        if sent.left <= 0:
            del self._on_their_way[number]
        self._acknowledged(part)
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
            del self._on_their_way[one.post.number]
            one.carrier.forget(one.post)
            one.carrier.unacknowledged -= len(one.post.rows)
            self._queue(one.post).appendleft(one.post)
            self._redelivered(one.post)
        if sent:
            self.push()

    def _queue(self, post: Post) -> deque[Post]:
        return self._said if isinstance(post, ReplyPost) else self._owed

    def _free_carrier(self, share: int) -> Carrier | None:
        """One with room for what may wait for `share` times as many acknowledgements as there may be."""
        for _ in range(len(self._carriers)):
            self._turn = (self._turn + 1) % len(self._carriers)
            carrier = self._carriers[self._turn]
            if carrier.unacknowledged < share * carrier.most_unacknowledged and carrier.takes_post():
                return carrier
        return None


def split(rows: list[T], size: int = ROWS_PER_POST) -> list[list[T]]:
    """`rows` in lists of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
