"""The timers of RFC 3261 section 17, on a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from channels.voice.sip.dialog import refusal_acknowledged
from channels.voice.sip.identity import Identity
from channels.voice.sip.message import Request, Response, answer, parse, request
from channels.voice.sip.timing import Patience
from channels.voice.sip.transaction import InviteTransaction, OtherTransaction, Transaction
from tests.harness.hand_timers import HandTimers

IDENTITY = Identity("12379", "trunk.example", "UDP", "10.0.0.1", 5060)


@dataclass
class Record:
    """A wire that writes down what goes out, and what its transaction tells."""

    timers: HandTimers
    reliable: bool = False
    sent: list[tuple[float, str]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    silent: int = 0
    gone: int = 0

    def send(self, octets: bytes) -> None:
        message = parse(octets)
        assert isinstance(message, Request)
        self.sent.append((self.timers.now - 1000, message.method))

    def fell_silent(self) -> None:
        self.silent += 1

    def went(self) -> None:
        self.gone += 1


def made(method: str, *, reliable: bool = False) -> tuple[Transaction, Record, HandTimers]:
    timers = HandTimers()
    record = Record(timers, reliable)
    sent = request(method, IDENTITY.number("139"), IDENTITY.common("c@h", "<sip:a@b>;tag=1", "<sip:139@b>", 1, method))

    def heard(response: Response) -> None:
        record.heard.append(response.status)

    if method == "INVITE":
        one: Transaction = InviteTransaction(
            sent, record, timers, Patience(), heard, record.fell_silent, record.went,
            lambda response: refusal_acknowledged(sent, response),
        )  # fmt: skip
    else:
        one = OtherTransaction(sent, record, timers, Patience(), heard, record.fell_silent, record.went)
    one.begin()
    return one, record, timers


def said(one: Transaction, status: int) -> Response:
    return answer(one.request, status, "Whatever", tag="t")


def test_an_invite_is_said_again_with_growing_pauses_and_given_up_after_32_seconds() -> None:
    _, record, timers = made("INVITE")
    timers.advance(60)
    assert [at for at, _ in record.sent] == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (record.silent, record.gone) == (1, 1)


def test_other_requests_are_said_again_every_four_seconds_at_the_most() -> None:
    _, record, timers = made("OPTIONS")
    timers.advance(60)
    assert [at for at, _ in record.sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert record.silent == 1


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_on_a_stream_nothing_is_said_twice_but_it_is_given_up_all_the_same(method: str) -> None:
    _, record, timers = made(method, reliable=True)
    timers.advance(31)
    assert (len(record.sent), record.silent) == (1, 0)
    timers.advance(1.1)
    assert record.silent == 1


def test_what_was_taken_may_ring_for_as_long_as_it_likes() -> None:
    one, record, timers = made("INVITE")
    timers.advance(0.7)
    one.take(said(one, 100))
    timers.advance(300)
    one.take(said(one, 180))
    assert (len(record.sent), record.silent, record.heard) == (2, 0, [100, 180])
    one.take(said(one, 200))
    assert (record.heard[-1], record.gone) == (200, 1)


def test_a_refusal_is_acknowledged_as_often_as_it_comes_for_32_seconds_and_told_once() -> None:
    one, record, timers = made("INVITE")
    one.take(said(one, 486))
    timers.advance(10)
    one.take(said(one, 486))
    assert [method for _, method in record.sent] == ["INVITE", "ACK", "ACK"]
    assert (record.heard, record.gone) == ([486], 0)
    timers.advance(23)
    assert record.gone == 1


def test_a_provisional_answer_slows_other_requests_down_and_a_final_one_ends_them() -> None:
    one, record, timers = made("BYE")
    one.take(said(one, 100))
    timers.advance(10)
    assert [at for at, _ in record.sent] == [0, 0.5, 4.5, 8.5]
    one.take(said(one, 200))
    one.take(said(one, 200))
    timers.advance(60)
    assert (len(record.sent), record.heard, record.silent, record.gone) == (4, [200], 0, 1)


def test_a_cancelled_invite_that_never_ends_is_given_up() -> None:
    one, record, timers = made("INVITE")
    assert isinstance(one, InviteTransaction)
    one.take(said(one, 180))
    one.expire(32)
    timers.advance(33)
    assert (record.silent, record.gone) == (1, 1)
