"""CMPP's octets: by the tables, and never a surprise."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Medium
from channels.sms.cmpp.settings import CmppOptions
from channels.sms.cmpp.wire import Account, Cmpp
from channels.sms.parts import parts
from channels.sms.session.events import Answered, Reported, Said, SignedIn, Verdict, WireError
from channels.sms.session.numbers import national
from channels.sms.session.octets import authenticator, validity

NOW = datetime(2026, 8, 9, 19, 0, 5, tzinfo=UTC)
SECOND = Cmpp(Account("901234", "secret", 0x20, "10690001", "HELP", 2, "01", "0"))
THIRD = Cmpp(Account("901234", "secret", 0x30, "10690001", "HELP", 2, "01", "0"))
DIALECTS = {"2.0": SECOND, "3.0": THIRD}


def test_signing_in_proves_the_secret_without_saying_it() -> None:
    frame = SECOND.sign_in(1, NOW)
    length, command, sequence, user, proof, version, stamp = struct.unpack(">III6s16sBI", frame)
    assert (length, command, sequence, user, version, stamp) == (39, 1, 1, b"901234", 0x20, 810030005)
    assert proof == md5(b"901234" + bytes(9) + b"secret" + b"0810030005").digest()
    assert b"secret" not in frame


def test_the_time_keeps_its_leading_zero_in_the_proof_of_january() -> None:
    assert authenticator("901234", 9, "secret", "0101000000") != authenticator("901234", 9, "secret", "101000000")


@pytest.mark.parametrize(("version", "fixed"), [("2.0", 12 + 117 + 21 + 1 + 8), ("3.0", 12 + 129 + 32 + 2 + 20)])
def test_a_submit_is_as_long_as_the_table_says(version: str, fixed: int) -> None:
    part = parts("台风红色预警", 1)[0]
    frame = DIALECTS[version].submit(7, part, "13800000001", 0, NOW)
    assert len(frame) == fixed + len(part.content) == int.from_bytes(frame[:4])


def test_the_end_of_an_alert_goes_along_in_the_carriers_own_time() -> None:
    assert validity(NOW) == b"260810030005032+"
    assert b"260810030005032+" in SECOND.submit(7, parts("x", 1)[0], "13800000001", 0, NOW)


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize(
    ("result", "verdict"), [(0, Verdict.ACCEPTED), (8, Verdict.THROTTLED), (13, Verdict.REFUSED), (10, Verdict.UNFIT)]
)
def test_each_result_is_classified(version: str, result: int, verdict: Verdict) -> None:
    width = 4 if version == "3.0" else 1
    body = bytes(range(1, 9)) + result.to_bytes(width)
    answer = DIALECTS[version].read(struct.pack(">III", 12 + len(body), 0x80000004, 9) + body)
    assert isinstance(answer, Answered)
    assert (answer.sequence, answer.verdict, answer.ref) == (9, verdict, "0102030405060708")
    assert bool(answer.why) == (result != 0)


@pytest.mark.parametrize("size", [0, 17, 22, 4000])
def test_an_answer_to_the_sign_in_that_is_no_answer_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        SECOND.read(struct.pack(">III", 12 + size, 0x80000001, 1) + b"\xff" * size)


@pytest.mark.parametrize(("given_", "known"), [("8613800000001", "13800000001"), ("+8613800000001", "13800000001")])
def test_a_number_is_known_without_the_countrys_code(given_: str, known: str) -> None:
    assert national(given_) == national(known) == known


@pytest.mark.parametrize("version", DIALECTS)
@given(command=st.sampled_from([1, 2, 4, 5, 8, 0x80000001, 0x80000004, 0x80000005]), body=st.binary(max_size=300))
def test_a_frame_is_understood_or_refused(version: str, command: int, body: bytes) -> None:
    frame = struct.pack(">III", 12 + len(body), command, 1) + body
    try:
        event = DIALECTS[version].read(frame)
    except WireError:
        return
    assert not isinstance(event, SignedIn) or body
    if isinstance(event, Reported | Said):
        assert event.acknowledgement


@pytest.mark.parametrize(
    "options", [{"user": "toolongname"}, {"source": "abc"}, {"version": "1.0"}, {"window": 0}, {"pasword": "x"}]
)
def test_wrong_options_are_named_and_the_secret_is_not(options: dict[str, object]) -> None:
    good = {"host": "10.0.0.1", "user": "901234", "password": "very-secret", "source": "10690001"}
    gateway = GatewaySettings("移动", Medium.SMS, "cmpp", rate=100, options={**good, **options})
    with pytest.raises(SettingsError) as caught:
        CmppOptions.read(gateway)
    assert "very-secret" not in str(caught.value)
    assert "移动" in str(caught.value)
