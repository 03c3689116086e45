"""What sounds at each address now: one broadcast at a time, the more urgent first.

A broadcast of higher urgency, or one that follows the alert that sounds, ends it; one of the same or lower urgency is
put off until it is over. It is put off and not kept here, so that no crash loses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from broadcaster.ports import Accepted, Deferred, DeliveryKey, Envelope, Outcome, Sent

GAP = 1.0
"""Seconds between two broadcasts at one address."""

OUSTED = "让位给更紧急的广播"

Play = Callable[["Broadcast"], Coroutine[None, None, Outcome | None]]
"""Plays to the end. It calls `sounds` when the sound has begun; an outcome that it returns without says why not."""


class Broadcast:
    """One message at one address, `seconds` long."""

    def __init__(self, envelope: Envelope, seconds: float) -> None:
        notice = envelope.message.notice
        loop = asyncio.get_running_loop()
        self.key: DeliveryKey = envelope.key
        self.urgency = envelope.urgency
        self.alert = notice.identifier if notice is not None else ""
        self.replaces: Sequence[str] = notice.references if notice is not None else ()
        self.ends = loop.time() + seconds
        self._seconds = seconds
        self.task: asyncio.Task[Outcome | None] | None = None
        self._begun: asyncio.Future[None] = loop.create_future()

    def sounds(self) -> None:
        """It has begun."""
        if not self._begun.done():
            self.ends = asyncio.get_running_loop().time() + self._seconds
            self._begun.set_result(None)

    @property
    def begun(self) -> asyncio.Future[None]:
        """Resolves when it has begun."""
        return self._begun

    @property
    def missed(self) -> bool:
        """Whether it began, and all of its time is over: nothing is left that could still be said."""
        return self._begun.done() and asyncio.get_running_loop().time() >= self.ends

    def yields_to(self, other: Broadcast) -> bool:
        """Whether the other one ends this one."""
        return other.urgency < self.urgency or bool(self.alert and self.alert in other.replaces)


class Outlets:
    """All addresses of one driver."""

    def __init__(self) -> None:
        self._playing: dict[str, Broadcast] = {}

    async def begin(self, address: str, broadcast: Broadcast, play: Play) -> Outcome:
        """Have `play` sound at `address` now, or say why not now: Accepted once it has begun."""
        loop, key = asyncio.get_running_loop(), broadcast.key
        current = self._playing.get(address)
        if current is not None and current.key[:2] == key[:2]:  # sent again, while it sounds
            return Accepted(key, reference(key))
        if current is not None and not current.yields_to(broadcast):
            return Deferred(key, "正在播发", max(GAP, current.ends + GAP - loop.time()), address_only=True)
        self._playing[address] = broadcast
        if current is not None:
            await _end(current)
            if self._playing.get(address) is not broadcast:  # something more urgent came meanwhile
                return Deferred(key, OUSTED, GAP, address_only=True)
        broadcast.task = task = asyncio.create_task(play(broadcast))
        task.add_done_callback(lambda _: self._over(address, broadcast))
        waited: list[asyncio.Future[Any]] = [task, broadcast.begun]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if broadcast.begun.done():
            return Accepted(key, reference(key))
        return _outcome(task, key)

    async def recall(self, sent: Sequence[Sent]) -> int:
        """End these; how many sounded."""
        found = [
            (one.address, broadcast)
            for one in sent
            if (broadcast := self._playing.get(one.address)) is not None and broadcast.key[:2] == one.key[:2]
        ]
        await asyncio.gather(*(_end(broadcast) for _, broadcast in found))
        return len(found)

    async def finish(self, within: float) -> None:
        """Let everything sound to its end, for up to `within` seconds, or until cancelled; then end it."""
        tasks = [one.task for one in self._playing.values() if one.task is not None]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=within)
        finally:
            await asyncio.gather(*(_end(one) for one in list(self._playing.values())))

    def _over(self, address: str, broadcast: Broadcast) -> None:
        if self._playing.get(address) is broadcast:
            del self._playing[address]


async def _end(broadcast: Broadcast) -> None:
    if broadcast.task is not None and not broadcast.task.done():
        broadcast.task.cancel()
        await asyncio.wait([broadcast.task])


def _outcome(task: asyncio.Task[Outcome | None], key: DeliveryKey) -> Outcome:
    if task.cancelled():
        return Deferred(key, OUSTED, GAP, address_only=True)
    return task.result() or Deferred(key, "没有开始播发", GAP, address_only=True)


def reference(key: DeliveryKey) -> str:
    """Such gateways give no ids: ours is the message's."""
    return str(key)
