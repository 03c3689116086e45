"""A load gives its batch back once, and says how long a gateway may still take what it gave no answer about."""

from __future__ import annotations

from datetime import UTC, datetime

from broadcaster.dispatch.ledger import Batch, Release
from broadcaster.dispatch.load import OWED, OWED_IN_SILENCE, Load
from broadcaster.ports import DeliveryKey, Envelope, Message

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
BATCH = Batch(7, 0, 2, "330212001001", "sms", "public", "zh-CN", False, 1, 3, 1, 1, "", NOW)


def load(given: list[Release]) -> Load:
    envelopes = [Envelope(DeliveryKey(7, ordinal, 1), "1", Message("撤离"), 0, NOW) for ordinal in range(3)]
    return Load(BATCH, envelopes, NOW, given.append)


def test_it_is_given_back_when_all_is_written_and_answered() -> None:
    given: list[Release] = []
    one = load(given)
    one.take(2)
    one.answered(2)
    assert given == []
    one.take(1)
    one.answered(1)
    assert given == [Release(BATCH, NOW)]


def test_what_a_lost_connection_owes_is_said() -> None:
    given: list[Release] = []
    one = load(given)
    one.take(3)
    one.unanswered()
    one.answered(3)
    assert given == [Release(BATCH, NOW, owed=OWED)]


def test_a_silent_gateway_owes_for_longer_and_the_batch_is_given_back_at_once_and_once() -> None:
    given: list[Release] = []
    one = load(given)
    one.take(2)
    one.abandon()
    one.answered(2)
    assert given == [Release(BATCH, NOW, owed=OWED_IN_SILENCE)]
