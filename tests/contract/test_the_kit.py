"""The contract kit itself: it catches drivers that break a promise, and asks no driver for what it does not have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Capabilities,
    Deferred,
    Driver,
    Envelope,
    GatewaySettings,
    Inbox,
    Journal,
    Medium,
    Message,
    Outcome,
    Rejected,
)
from broadcaster.testing import PROMISES, Mood, NotPromised, Promise

Send = Callable[["Pigeon", Sequence[Envelope]], AsyncIterator[Outcome]]
LOFT = {"loft": "here"}


@dataclass
class Loft:
    """A peer in memory: pigeons carry no receipts, bring no replies, and there is no connection to break."""

    gateway: GatewaySettings = field(
        default_factory=lambda: GatewaySettings("loft", Medium.SMS, "pigeon", 1, options=LOFT)
    )
    nowhere: GatewaySettings = field(default_factory=lambda: GatewaySettings("none", Medium.SMS, "pigeon", 1))
    moods: frozenset[Mood] = frozenset({Mood.WILLING, Mood.THROTTLING})
    patience: float = 0.5
    message: Message = field(default_factory=lambda: Message("台风"))
    bad_address: str = "the moon"
    mood: Mood = Mood.WILLING
    carried: list[str] = field(default_factory=list)

    def addresses(self, count: int) -> Sequence[str]:
        return [f"roof {number}" for number in range(count)]

    async def play(self, mood: Mood) -> None:
        self.mood = mood

    async def taken(self) -> Sequence[str]:
        return self.carried

    async def unacknowledged(self) -> int:
        return 0

    async def say(self, address: str, text: str) -> str:
        return ""

    async def hang_up(self) -> None:
        return


async def carry(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    for envelope in batch:
        if not pigeon.flying or pigeon.loft.mood is Mood.THROTTLING:
            yield Deferred(envelope.key, "resting", 60)
        elif envelope.address == pigeon.loft.bad_address:
            yield Rejected(envelope.key, "too far")
        else:
            pigeon.loft.carried.append(str(envelope.key))
            pigeon.journal.note("→", "one pigeon")
            yield Accepted(envelope.key, "")


class Pigeon:
    """An honest driver, unless it is given another way to send."""

    capabilities = Capabilities(receipts=False, replies=False, window=1, batch_max=50)

    def __init__(self, loft: Loft, gateway: GatewaySettings, journal: Journal, sending: Send) -> None:
        self.loft = loft
        self.journal = journal
        self.flying = False
        self._home = bool(gateway.options)
        self._sending = sending

    async def open(self, inbox: Inbox) -> None:
        if not self._home:
            raise UnavailableError("Nobody is at home there.")
        self.flying = True

    def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        return self._sending(self, batch)

    async def close(self) -> None:
        self.flying = False


@dataclass
class Pigeons:
    loft: Loft
    sending: Send = carry
    name: str = "pigeon"
    channel: Medium = Medium.SMS

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        if unknown := set(gateway.options) - set(LOFT):
            raise SettingsError(f"Unknown options: {', '.join(unknown)}.")
        return Pigeon(self.loft, gateway, journal, self.sending)


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_an_honest_driver_keeps_all_that_it_can_promise(promise: Promise) -> None:
    loft = Loft()
    try:
        await promise.check(Pigeons(loft), loft)
    except NotPromised:
        assert promise.receipts or promise.replies or promise.mood not in loft.moods or "connection" in promise.name


async def drops_the_last(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    async for outcome in carry(pigeon, batch[:-1]):
        yield outcome


async def answers_twice(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    async for outcome in carry(pigeon, batch):
        yield outcome
        yield outcome


async def accepts_everything(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    for envelope in batch:
        pigeon.loft.carried.append(str(envelope.key))
        yield Accepted(envelope.key, "")


async def makes_up_references(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    async for outcome in carry(pigeon, batch):
        pigeon.loft.carried[-1:] = ["a feather"]
        yield outcome


async def gossips(pigeon: Pigeon, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
    for envelope in batch:
        pigeon.journal.note("→", f"to {envelope.address}")
        yield Accepted(envelope.key, "")


@pytest.mark.parametrize(
    ("sin", "name"),
    [
        (drops_the_last, "each envelope yields exactly one outcome"),
        (answers_twice, "each envelope yields exactly one outcome"),
        (accepts_everything, "throttled is deferred with a time"),
        (accepts_everything, "a bad address is rejected alone"),
        (accepts_everything, "what was not written is deferred"),
        (makes_up_references, "the key is passed as the client reference"),
        (gossips, "the journal holds no personal data"),
    ],
)
async def test_a_driver_that_breaks_a_promise_is_caught(sin: Send, name: str) -> None:
    loft = Loft()
    (promise,) = [promise for promise in PROMISES if promise.name == name]
    with pytest.raises(AssertionError):
        await promise.check(Pigeons(loft, sin), loft)


async def test_a_driver_without_a_connection_is_asked_for_no_loss() -> None:
    loft = Loft()
    promises = [promise for promise in PROMISES if promise.mood in (Mood.CUTTING, Mood.SILENT, Mood.BABBLING)]
    assert promises
    for promise in promises:
        with pytest.raises(NotPromised):
            await promise.check(Pigeons(loft), loft)
