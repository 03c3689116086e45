"""SMGP's octets: by the tables, and never a surprise."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from hashlib import md5

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Medium
from channels.sms.parts import GBK, parts
from channels.sms.session.events import Alive, Answered, Asked, Farewell, Reported, Said, SignedIn, Verdict, WireError
from channels.sms.smgp.settings import SmgpOptions
from channels.sms.smgp.wire import Account, Smgp

NOW = datetime(2026, 8, 9, 19, 0, 5, tzinfo=UTC)
SMGP = Smgp(Account("county", "secret", 0x30, "10690001", "HELP", "00", "000000", "000000", ""))
ID = bytes.fromhex("0a0d00112709303334ab")


def frame(command: int, body: bytes = b"") -> bytes:
    return struct.pack(">III", 12 + len(body), command, 9) + body


def deliver(content: bytes, *, report: int = 0, coding: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack(">10sBB14s21s21sB", ID, report, coding, b"20261127193000", b"13800000001", b"1069", len(content))
    return frame(3, head + content + bytes(8) + options)


def test_signing_in_proves_the_secret_without_saying_it() -> None:
    length, command, sequence, user, proof, mode, stamp, version = struct.unpack(">III8s16sBIB", SMGP.sign_in(1, NOW))
    assert (length, command, sequence, user) == (42, 1, 1, b"county\0\0")
    assert (mode, stamp, version) == (2, 810030005, 0x30)
    assert proof == md5(b"county" + bytes(7) + b"secret" + b"0810030005").digest()


def test_a_submit_is_as_long_as_the_table_says() -> None:
    part = parts("台风红色预警", 1)[0]
    written = SMGP.submit(7, part, "13800000001", 0, NOW)
    assert len(written) == 12 + 114 + 21 + len(part.content) == int.from_bytes(written[:4])


def test_each_of_several_parts_says_which_it_is_in_optional_parameters() -> None:
    first, second = parts("请" * 100, 1)
    tail = SMGP.submit(7, second, "13800000001", 0, NOW)[-15:]
    assert tail == bytes.fromhex("0002000101 0009000102 000a000102")
    with_sp = Smgp(Account("county", "secret", 0x30, "1", "", "00", "0", "0", "123456"))
    tail = with_sp.submit(7, first, "13800000001", 0, NOW)[-25:]
    assert tail == bytes.fromhex("00100006") + b"123456" + bytes.fromhex("0002000101 0009000102 000a000101")


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (0, Verdict.ACCEPTED),
        (1, Verdict.THROTTLED),
        (47, Verdict.REFUSED),
        (130_005, Verdict.REFUSED),
        (46, Verdict.UNFIT),
    ],
)
def test_each_result_is_classified(result: int, verdict: Verdict) -> None:
    answer = SMGP.read(frame(0x80000002, ID + result.to_bytes(4)))
    assert isinstance(answer, Answered)
    assert (answer.sequence, answer.verdict, answer.ref) == (9, verdict, ID.hex())
    assert bool(answer.why) == (result != 0)


@pytest.mark.parametrize(
    "content",
    [
        b"id:" + ID + b" sub:001 dlvrd:001 submit date:2611271930 done date:2611271930 stat:DELIVRD err:000 text:",
        b"id:" + ID + b"sub:001 dlvrd:001 submit_date:2611271930 done_date:2611271930 stat:DELIVRD err:000 txt:",
        b"id:" + ID.hex().upper().encode() + b" sub:001 stat:DELIVRD",
    ],
    ids=["as specified", "without the space", "in hex"],
)
def test_a_report_is_understood_in_every_writing_that_is_met(content: bytes) -> None:
    report = SMGP.read(deliver(content, report=1))
    assert isinstance(report, Reported)
    assert (report.ref, report.status) == (ID.hex(), "DELIVRD")
    assert report.acknowledgement == frame(0x80000003, ID + bytes(4))


def test_an_id_may_look_like_anything() -> None:
    odd = b"stat:FAIL\0"
    report = SMGP.read(deliver(b"id:" + odd + b" sub:001 stat:EXPIRED", report=1))
    assert isinstance(report, Reported)
    assert (report.ref, report.status) == (odd.hex(), "EXPIRED")


@pytest.mark.parametrize("options", [b"", b"\x00", b"\x00\x02\x00\xff\x01", b"\x00\x02\x00\x00", b"\0" * 300])
def test_optional_parameters_that_make_no_sense_cost_nobody_a_reply(options: bytes) -> None:
    said = SMGP.read(deliver("收到".encode("gb18030"), coding=GBK, options=options))
    assert isinstance(said, Said)
    assert (said.id, said.address, said.piece.text, said.piece.total) == (ID.hex(), "13800000001", "收到", 1)


def test_a_part_of_a_reply_is_one_if_it_says_so() -> None:
    first = parts("请" * 100, 7)[0]
    said = SMGP.read(deliver(first.content, coding=8, options=bytes.fromhex("0002000101")))
    assert isinstance(said, Said)
    assert (said.piece.reference, said.piece.total, said.piece.number) == (7, 2, 1)


def test_the_session_is_kept() -> None:
    assert SMGP.read(frame(0x80000001, bytes(4) + bytes(16) + b"\x30")) == SignedIn()
    assert SMGP.read(frame(0x80000001, (21).to_bytes(4) + bytes(16) + b"\x30")) == SignedIn("认证错")
    assert SMGP.read(SMGP.ask(9)) == Asked(frame(0x80000004))
    assert isinstance(SMGP.read(frame(0x80000004)), Alive)
    assert SMGP.read(SMGP.farewell(9)) == Farewell(frame(0x80000006))
    assert SMGP.read(frame(0x80000006)) == Farewell()


@pytest.mark.parametrize(
    "odd", [b"", frame(0), frame(0x80000002, ID), frame(3, bytes(68)), frame(3, bytes(68) + b"\1")]
)
def test_what_ends_too_soon_or_is_none_of_the_commands_is_refused(odd: bytes) -> None:
    with pytest.raises(WireError):
        SMGP.read(odd)


@pytest.mark.parametrize(
    "options", [{"user": "toolongname"}, {"source": "abc"}, {"version": "2.0"}, {"sp": "123456789"}, {"busy": [0]}]
)
def test_wrong_options_are_named_and_the_secret_is_not(options: dict[str, object]) -> None:
    good = {"host": "10.0.0.1", "user": "901234", "password": "very-secret", "source": "10690001"}
    gateway = GatewaySettings("telecom", Medium.SMS, "smgp", rate=100, options={**good, **options})
    with pytest.raises(SettingsError) as caught:
        SmgpOptions.read(gateway)
    assert "very-secret" not in str(caught.value)
    assert next(iter(options)) in str(caught.value)
