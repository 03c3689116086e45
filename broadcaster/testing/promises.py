"""What every driver promises, one check each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import TypeAlias

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import Accepted, Deferred, DriverPlugin, Envelope, Rejected, Streams, Unknown
from broadcaster.testing.bench import Bench
from broadcaster.testing.peer import Mood, Peer

Check: TypeAlias = Callable[[Bench], Coroutine[None, None, None]]

FEW = 10
"""Envelopes in a small batch, unless the driver takes fewer."""


class NotPromised(Exception):  # noqa: N818 (it is no error: the test is to be skipped)
    """This driver or peer has no such thing; says which."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: its name is the sentence. `mood` is what the peer must be able to play."""

    name: str
    keeps: Check
    mood: Mood = Mood.WILLING
    receipts: bool = False
    replies: bool = False

    def __str__(self) -> str:
        return self.name

    async def check(self, plugin: DriverPlugin, peer: Peer) -> None:
        """Raises AssertionError when the driver does not keep it, NotPromised when it need not."""
        bench = Bench(plugin, peer)
        capabilities = bench.driver.capabilities
        if self.mood not in peer.moods:
            raise NotPromised(f"the peer cannot be {self.mood}")
        if self.receipts and not capabilities.receipts:
            raise NotPromised("the driver has no receipts")
        if self.replies and not capabilities.replies:
            raise NotPromised("the driver has no replies")
        await peer.play(self.mood)
        try:
            await self.keeps(bench)
        finally:
            bench.inbox.refuse(False)
            bench.inbox.release()
            await bench.close()
            await peer.play(Mood.WILLING)


async def each_envelope_yields_exactly_one_outcome(bench: Bench) -> None:
    await bench.open()
    batch = bench.large()
    outcomes = await bench.send(batch)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes.values()), Counter(map(type, outcomes.values()))


async def an_empty_batch_yields_nothing(bench: Bench) -> None:
    await bench.open()
    assert await bench.send([]) == {}


async def the_key_is_passed_as_the_client_reference(bench: Bench) -> None:
    await bench.open()
    batch = few(bench)
    await bench.send(batch)
    taken = await bench.peer.taken()
    if not any(taken):
        raise NotPromised("the protocol has no room for a client reference")
    assert sorted(taken) == sorted(str(envelope.key) for envelope in batch)


async def sends_at_the_same_time_share_the_connection(bench: Bench) -> None:
    await bench.open()
    batches = [few(bench) for _ in range(5)]
    for outcomes in await asyncio.gather(*(bench.send(batch) for batch in batches)):
        assert all(isinstance(outcome, Accepted) for outcome in outcomes.values())


async def throttled_is_deferred_with_a_time(bench: Bench) -> None:
    await bench.open()
    for outcome in (await bench.send(few(bench))).values():
        assert isinstance(outcome, Deferred), outcome
        assert outcome.after > 0
        assert outcome.reason
    assert not await bench.peer.taken(), "what is deferred was not sent"


async def a_bad_address_is_rejected_alone(bench: Bench) -> None:
    await bench.open()
    good, bad = few(bench), bench.envelopes(1, address=bench.peer.bad_address)
    outcomes = await bench.send([*good[:1], *bad, *good[1:]])
    rejected = outcomes.pop(bad[0].key)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.reason
    assert all(isinstance(outcome, Accepted) for outcome in outcomes.values())


async def a_connection_lost_during_a_batch_loses_no_envelope(bench: Bench) -> None:
    await bench.open()
    outcomes = await bench.send(bench.large())
    taken = set(await bench.peer.taken())
    for key, outcome in outcomes.items():
        assert not isinstance(outcome, Rejected), outcome
        if str(key) in taken:
            assert isinstance(outcome, Accepted | Unknown), f"the peer took it and may send it: {outcome}"
    assert any(isinstance(outcome, Unknown) for outcome in outcomes.values())


async def what_was_not_written_is_deferred(bench: Bench) -> None:
    batch = few(bench)
    for outcome in (await bench.send(batch)).values():
        assert isinstance(outcome, Deferred), outcome
        assert outcome.after > 0
    assert not await bench.peer.taken()


async def a_silent_peer_is_given_up(bench: Bench) -> None:
    await bench.open()
    outcomes = await bench.send(few(bench))
    assert all(isinstance(outcome, Unknown | Deferred) for outcome in outcomes.values())
    assert any(isinstance(outcome, Unknown) for outcome in outcomes.values())


async def a_babbling_peer_never_raises_out_of_send(bench: Bench) -> None:
    await bench.open()
    outcomes = await bench.send(few(bench))
    assert not any(isinstance(outcome, Rejected) for outcome in outcomes.values())


async def it_can_be_opened_again_after_a_loss(bench: Bench) -> None:
    await bench.open()
    await bench.send(few(bench))
    await bench.peer.play(Mood.WILLING)
    await bench.open()
    outcomes = await bench.send(few(bench))
    others = [outcome for outcome in outcomes.values() if not isinstance(outcome, Accepted)]
    assert not others, f"sent again after the loss: {others[0]}"


async def it_tells_when_an_idle_connection_is_gone(bench: Bench) -> None:
    if not isinstance(bench.driver, Streams):
        raise NotPromised("the driver keeps no connection")
    await bench.open()
    await bench.peer.hang_up()
    async with asyncio.timeout(bench.peer.patience):
        assert await bench.driver.lost()


async def a_dead_address_is_unavailable(bench: Bench) -> None:
    driver = bench.build(bench.peer.nowhere)
    try:
        async with asyncio.timeout(bench.peer.patience):
            await driver.open(bench.inbox)
    except UnavailableError as error:
        assert error.what
    else:
        raise AssertionError("open has not raised UnavailableError")
    finally:
        await driver.close()


async def receipts_are_stored_before_they_are_acknowledged(bench: Bench) -> None:
    await bench.open()
    bench.inbox.hold()
    outcomes = await bench.send(few(bench))
    await bench.inbox.until(lambda: bench.inbox.attempts > 0, bench.peer.patience)
    assert await bench.something_unacknowledged(), "acknowledged before it was stored"
    bench.inbox.release()
    await bench.inbox.until(lambda: proven(bench) >= len(outcomes), bench.peer.patience)
    await bench.until(bench.nothing_unacknowledged, "everything acknowledged")


async def what_the_inbox_does_not_store_comes_again(bench: Bench) -> None:
    await bench.open()
    bench.inbox.refuse(True)
    outcomes = await bench.send(few(bench))
    await bench.inbox.until(lambda: bench.inbox.attempts > 0, bench.peer.patience)
    assert await bench.something_unacknowledged(), "acknowledged although it was not stored"
    bench.inbox.refuse(False)
    await bench.inbox.until(lambda: proven(bench) >= len(outcomes), bench.peer.patience)
    await bench.until(bench.nothing_unacknowledged, "everything acknowledged")


async def a_receipt_names_its_message(bench: Bench) -> None:
    await bench.open()
    outcomes = await bench.send(few(bench))
    refs = {outcome.ref for outcome in outcomes.values() if isinstance(outcome, Accepted)}
    await bench.inbox.until(lambda: proven(bench) >= len(outcomes), bench.peer.patience)
    for receipt in bench.inbox.stored_receipts:
        assert receipt.key in outcomes or receipt.ref in refs, receipt
        assert receipt.at.tzinfo is not None


async def a_reply_reaches_the_inbox_with_its_id(bench: Bench) -> None:
    await bench.open()
    address = bench.peer.addresses(1)[0]
    said = await bench.peer.say(address, "收到，正在转移")
    await bench.inbox.until(lambda: bool(bench.inbox.stored_replies), bench.peer.patience)
    reply = bench.inbox.stored_replies[0]
    assert reply.id, "without an id, a reply that comes again cannot be told from a new one"
    assert (reply.id, reply.address, reply.text) == (said or reply.id, address, "收到，正在转移")
    await bench.until(bench.nothing_unacknowledged, "the reply acknowledged")


async def closing_drains_what_is_in_flight(bench: Bench) -> None:
    await bench.open()
    batch = few(bench)
    sending = asyncio.create_task(bench.send(batch))
    await asyncio.sleep(0)  # the sender has its turn: it writes
    await bench.driver.close()
    outcomes = await sending
    assert not any(isinstance(outcome, Unknown) for outcome in outcomes.values()), outcomes
    accepted = {str(key) for key, outcome in outcomes.items() if isinstance(outcome, Accepted)}
    taken = set(await bench.peer.taken())
    assert not any(taken) or taken == accepted, "what was taken is accepted, what was not is not"


async def closing_twice_is_no_fault(bench: Bench) -> None:
    await bench.open()
    await bench.driver.close()
    await bench.driver.close()
    assert all(isinstance(outcome, Deferred) for outcome in (await bench.send(few(bench))).values())


async def a_wrong_option_is_a_settings_error(bench: Bench) -> None:
    wrong = replace(bench.peer.gateway, options={**bench.peer.gateway.options, "no_such_option": "1"})
    try:
        bench.build(wrong)
    except SettingsError as error:
        assert "no_such_option" in str(error)
    else:
        raise AssertionError("build took an option that does not exist")


async def the_journal_holds_no_personal_data(bench: Bench) -> None:
    await bench.open()
    batch = few(bench)
    await bench.send(batch)
    text = "\n".join(bench.journal.lines)
    assert text, "nothing was noted"
    assert not any(envelope.address in text or envelope.message.text in text for envelope in batch)


def few(bench: Bench) -> list[Envelope]:
    """A small batch."""
    return bench.envelopes(min(FEW, bench.driver.capabilities.batch_max))


def proven(bench: Bench) -> int:
    """Messages about which a receipt is stored."""
    return max(len(bench.inbox.keys()), len(bench.inbox.refs() - {""}))


def _promise(keeps: Check, mood: Mood = Mood.WILLING, *, receipts: bool = False, replies: bool = False) -> Promise:
    return Promise(keeps.__name__.replace("_", " "), keeps, mood, receipts, replies)


PROMISES = (
    _promise(each_envelope_yields_exactly_one_outcome),
    _promise(an_empty_batch_yields_nothing),
    _promise(the_key_is_passed_as_the_client_reference),
    _promise(sends_at_the_same_time_share_the_connection),
    _promise(throttled_is_deferred_with_a_time, Mood.THROTTLING),
    _promise(a_bad_address_is_rejected_alone),
    _promise(a_connection_lost_during_a_batch_loses_no_envelope, Mood.CUTTING),
    _promise(what_was_not_written_is_deferred),
    _promise(a_silent_peer_is_given_up, Mood.SILENT),
    _promise(a_babbling_peer_never_raises_out_of_send, Mood.BABBLING),
    _promise(it_can_be_opened_again_after_a_loss, Mood.CUTTING),
    _promise(it_tells_when_an_idle_connection_is_gone),
    _promise(a_dead_address_is_unavailable),
    _promise(receipts_are_stored_before_they_are_acknowledged, receipts=True),
    _promise(what_the_inbox_does_not_store_comes_again, receipts=True),
    _promise(a_receipt_names_its_message, receipts=True),
    _promise(a_reply_reaches_the_inbox_with_its_id, replies=True),
    _promise(closing_drains_what_is_in_flight, Mood.SLOW),
    _promise(closing_twice_is_no_fault),
    _promise(a_wrong_option_is_a_settings_error),
    _promise(the_journal_holds_no_personal_data),
)
"""The whole contract."""
