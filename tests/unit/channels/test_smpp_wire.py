"""SMPP's octets: receipts in every writing, and never a surprise."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.session.events import Answered, Reported, Said, WireError
from channels.sms.smpp.wire import Account, Smpp

ACCOUNT = Account("county", "s3cret", "", "10690001", 0, 1, "86", "", gsm=True, receipt_ids="same")
SMPP = Smpp(ACCOUNT)


def deliver(content: bytes, *, esm: int = 4, options: bytes = b"") -> bytes:
    body = b"\0\0\0" + b"13800000001\0" + b"\0\0" + b"10690001\0" + bytes([esm, 0, 0]) + b"\0\0"
    body += bytes([0, 0, 0, 0, len(content)]) + content + options
    return struct.pack(">IIII", 16 + len(body), 5, 0, 3) + body


@pytest.mark.parametrize(
    ("content", "options", "ref", "status"),
    [
        (b"id:A1 sub:001 dlvrd:001 submit date:2601 done date:2601 stat:DELIVRD err:000 text:x", b"", "A1", "DELIVRD"),
        (b"id:A1 stat:undeliv", b"", "A1", "UNDELIV"),
        (b"", b"\x00\x1e\x00\x03A1\0\x04\x27\x00\x01\x05", "A1", "UNDELIV"),
        (b"id:A1", b"", "A1", "UNKNOWN"),
        (b"no receipt at all", b"", "", "UNKNOWN"),
    ],
)
def test_a_receipt_is_understood_in_either_writing(content: bytes, options: bytes, ref: str, status: str) -> None:
    report = SMPP.read(deliver(content, options=options))
    assert isinstance(report, Reported)
    assert (report.ref, report.status) == (ref, status)


@pytest.mark.parametrize(("how", "answered", "reported"), [("decimal", "00A3F", "2623"), ("hex", "0002623", "a3f")])
def test_ids_that_answer_and_receipt_write_differently_are_one(how: str, answered: str, reported: str) -> None:
    dialect = Smpp(replace(ACCOUNT, receipt_ids=how))
    body = answered.encode() + b"\0"
    answer = dialect.read(struct.pack(">IIII", 16 + len(body), 0x80000004, 0, 1) + body)
    report = dialect.read(deliver(f"id:{reported} stat:DELIVRD".encode()))
    assert isinstance(answer, Answered)
    assert isinstance(report, Reported)
    assert answer.ref == report.ref


@pytest.mark.parametrize("how", ["same", "decimal", "hex"])
def test_an_id_of_any_length_is_cut_to_what_the_protocol_knows(how: str) -> None:
    dialect = Smpp(replace(ACCOUNT, receipt_ids=how))
    endless = b"9" * 9000
    answer = dialect.read(struct.pack(">IIII", 16 + len(endless), 0x80000004, 0, 1) + endless)
    report = dialect.read(deliver(b"stat:DELIVRD", options=struct.pack(">HH", 0x1E, len(endless)) + endless))
    assert isinstance(answer, Answered)
    assert isinstance(report, Reported)
    assert 0 < len(answer.ref) <= 80
    assert 0 < len(report.ref) <= 80


@given(
    command=st.sampled_from([4, 5, 6, 9, 0x15, 0x103, 0x80000000, 0x80000004, 0x80000005, 0x80000009, 0x80000099]),
    status=st.integers(0, 0xFFFFFFFF),
    body=st.binary(max_size=400),
)
def test_a_pdu_is_understood_or_refused(command: int, status: int, body: bytes) -> None:
    try:
        event = SMPP.read(struct.pack(">IIII", 16 + len(body), command, status, 1) + body)
    except WireError:
        return
    if isinstance(event, Reported | Said):
        assert event.acknowledgement


@given(st.binary(max_size=40))
def test_what_is_shorter_than_a_header_is_refused(frame: bytes) -> None:
    if len(frame) < 16:
        with pytest.raises(WireError):
            SMPP.read(frame)
