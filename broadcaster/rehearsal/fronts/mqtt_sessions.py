"""What a broker keeps: sessions with their subscriptions and what they have not confirmed, and who gets a message."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from broadcaster.rehearsal.fronts.mqtt_packets import FOR_GOOD, Connect, Message

MOST_HELD = 100_000
"""Messages for a client that does not take them; then the oldest is lost."""

SHARED = "$share/"


class Connection(Protocol):
    """A client that is there. `window` messages may be unconfirmed on it."""

    window: int

    @property
    def free(self) -> bool: ...

    def bring(self, message: Message, qos: int, number: int, *, again: bool) -> None: ...

    def displace(self) -> None:
        """Another connection has come with the same name."""


@dataclass(slots=True)
class Parcel:
    """A message on its way to one client; `shared`: the subscription in a group by which it came."""

    message: Message
    qos: int
    shared: str
    number: int = 0
    tries: int = 0


class Session:
    """One client's. It may outlive the connection."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.filters: dict[str, int] = {}
        self.connection: Connection | None = None
        self.ending: asyncio.TimerHandle | None = None
        self._waiting: deque[Parcel] = deque()
        self._on_way: dict[int, Parcel] = {}
        self._numbers: set[int] = set()
        self._last = 0

    def give(self, message: Message, qos: int, shared: str = "") -> None:
        """Bring it, now or as soon as the client is there and has room; without a QoS only now."""
        if qos or self.connection is not None:
            self._waiting.append(Parcel(message, qos, shared))
        if len(self._waiting) > MOST_HELD:
            self._numbers.discard(self._waiting.popleft().number)
        self.push()

    def push(self) -> None:
        """Bring what there is room for."""
        connection = self.connection
        while connection is not None and self._waiting and connection.free and len(self._on_way) < connection.window:
            one = self._waiting.popleft()
            if one.qos:
                one.number = one.number or self._next_number()
                self._on_way[one.number] = one
            one.tries += 1
            connection.bring(one.message, one.qos, one.number, again=one.tries > 1)

    def confirmed(self, number: int) -> None:
        """The client has it; a number that is not on its way is no news."""
        if self._on_way.pop(number, None) is not None:
            self._numbers.discard(number)
            self.push()

    def rest(self) -> None:
        """The connection is gone: what was not confirmed goes out first on the next."""
        self.connection = None
        self._waiting.extendleft(reversed(self._on_way.values()))
        self._on_way.clear()
        self._waiting = deque(one for one in self._waiting if one.qos)

    def owed(self) -> Iterator[Parcel]:
        """Everything that was not confirmed, in its order."""
        return chain(self._on_way.values(), self._waiting)

    def _next_number(self) -> int:
        while True:
            self._last = self._last % 0xFFFF + 1
            if self._last not in self._numbers:
                self._numbers.add(self._last)
                return self._last


class Broker:
    """All sessions."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._turn = 0

    def enter(self, wanted: Connect, connection: Connection) -> tuple[Session, bool]:
        """The session of a client that has come, and whether it was there before. Another connection that has it must
        go (MQTT 5, 3.1.4)."""
        found = self._sessions.get(wanted.client)
        if found is not None:
            if found.connection is not None:
                found.connection.displace()
                found.rest()
            if found.ending is not None:
                found.ending.cancel()
            if wanted.clean:
                self._end(found)
        present = found is not None and not wanted.clean
        session = self._sessions.setdefault(wanted.client, Session(wanted.client))
        session.connection, session.ending = connection, None
        return session, present

    def leave(self, session: Session, connection: Connection, expiry: int) -> None:
        """A connection has ended; its session ends `expiry` seconds later."""
        if session.connection is not connection:
            return
        session.rest()
        if expiry == 0:
            self._end(session)
        elif expiry != FOR_GOOD:
            session.ending = asyncio.get_running_loop().call_later(expiry, self._end, session)

    def publish(self, message: Message) -> bool:
        """Give a message to everybody who subscribed to it, of each group to one; False: to nobody."""
        groups: dict[str, None] = {}
        reached = False
        for session in list(self._sessions.values()):
            fits = [name for name in session.filters if matches(topic_of(name), message.topic)]
            groups.update(dict.fromkeys(name for name in fits if name.startswith(SHARED)))
            own = [session.filters[name] for name in fits if not name.startswith(SHARED)]
            if own:
                session.give(message, min(message.qos, max(own)))
                reached = True
        for shared in groups:
            self._share(message, shared)
        return reached or bool(groups)

    async def stop(self) -> None:
        """Nobody's session is waited for any more."""
        for session in self._sessions.values():
            if session.ending is not None:
                session.ending.cancel()

    def _share(self, message: Message, shared: str) -> None:
        """Give it to one of a group, in turn; to who is not there only if nobody is."""
        group = [session for session in self._sessions.values() if shared in session.filters]
        there = [session for session in group if session.connection is not None] or group
        if there:
            self._turn += 1
            chosen = there[self._turn % len(there)]
            chosen.give(message, min(message.qos, chosen.filters[shared]), shared)

    def _end(self, session: Session) -> None:
        """What it had for its groups the others get (MQTT 5, 4.8.2)."""
        self._sessions.pop(session.client, None)
        for one in list(session.owed()):
            if one.shared:
                self._share(one.message, one.shared)


def topic_of(subscription: str) -> str:
    """The filter of a subscription, without the group that shares it."""
    return subscription.split("/", 2)[2] if subscription.startswith(SHARED) else subscription


def is_filter(subscription: str, *, shares: bool) -> bool:
    """Whether it may be subscribed to (MQTT 5, 4.7.1, 4.8.2); before MQTT 5 there were no groups."""
    if subscription.startswith(SHARED) and shares:
        parts = subscription.split("/", 2)
        if len(parts) < 3 or not parts[1] or "+" in parts[1] or "#" in parts[1]:
            return False
        subscription = parts[2]
    *levels, last = subscription.split("/")
    return (
        bool(subscription)
        and last in ("#", "+", last.replace("#", "").replace("+", ""))
        and all(level == "+" or not {"#", "+"} & set(level) for level in levels)
    )


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic fits a filter; what begins with a dollar sign fits no wildcard there (MQTT 5, 4.7.2)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("#", "+"):
        return False
    for place, want in enumerate(wanted):
        if want == "#":
            return True
        if place >= len(levels) or want not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)
