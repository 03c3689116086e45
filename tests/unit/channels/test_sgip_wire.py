"""SGIP's octets: by the tables, and never a surprise; no two messages have one number."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import Evidence, GatewaySettings, Medium
from channels.sms.parts import parts
from channels.sms.session.events import Answered, Farewell, Knocks, Reported, Said, SignedIn, Verdict, WireError
from channels.sms.session.statuses import judge
from channels.sms.sgip.sequence import Series
from channels.sms.sgip.settings import SgipOptions
from channels.sms.sgip.wire import Account, Sgip

NOW = datetime(2026, 8, 9, 19, 0, 5, tzinfo=UTC)
NODE = 3_010_001_234
ACCOUNT = Account("county", "ours", "smg", "theirs", "10690001", "01234", "HELP", "0" * 21, 1, "0")
NUMBER = struct.pack(">III", 100_010, 810030005, 77)
GOOD: dict[str, object] = {
    "host": "10.0.0.1",
    "user": "county",
    "password": "very-secret",
    "node": NODE,
    "source": "10690001",
    "listen": "0.0.0.0:8801",
}


def sgip() -> Sgip:
    return Sgip(ACCOUNT, Series(NODE), now=lambda: NOW)


def frame(command: int, body: bytes = b"", number: bytes = NUMBER) -> bytes:
    return struct.pack(">II12s", 20 + len(body), command, number) + body


def read(options: dict[str, object]) -> SgipOptions:
    return SgipOptions.read(GatewaySettings("unicom", Medium.SMS, "sgip", rate=100, options=options))


def test_signing_in_says_who_we_are() -> None:
    written = sgip().sign_in(1, NOW)
    length, command, node, moment, _, kind, user, password, rest = struct.unpack(">IIIIIB16s16s8s", written)
    assert (length, command, node, moment, kind) == (61, 1, NODE, 810030005, 1)
    assert (user.rstrip(b"\0"), password.rstrip(b"\0"), rest) == (b"county", b"ours", bytes(8))


def test_a_submit_is_as_long_as_the_table_says() -> None:
    part = parts("台风红色预警", 1)[0]
    written = sgip().submit(7, part, "13800000001", 0, NOW)
    assert len(written) == 143 + 21 + len(part.content) == int.from_bytes(written[:4])


@pytest.mark.parametrize(("urgency", "priority"), [(0, 9), (1, 6), (2, 3), (3, 0)])
def test_urgency_and_end_go_along(urgency: int, priority: int) -> None:
    body = sgip().submit(7, parts("x", 1)[0], "13800000001", urgency, NOW)[20:]
    assert body[21 + 21 + 1 + 21 + 5 + 10 + 1 + 6 + 6 + 2] == priority
    assert b"260810030005032+" in body


@pytest.mark.parametrize(
    ("result", "verdict"),
    [(0, Verdict.ACCEPTED), (11, Verdict.THROTTLED), (6, Verdict.REFUSED), (199, Verdict.REFUSED), (64, Verdict.UNFIT)],
)
def test_each_result_is_classified_and_is_about_the_submit_whose_number_it_has(result: int, verdict: Verdict) -> None:
    dialect = sgip()
    number = dialect.submit(7, parts("x", 1)[0], "13800000001", 0, NOW)[8:20]
    answer = dialect.read(frame(0x80000003, bytes([result]) + bytes(8), number))
    assert isinstance(answer, Answered)
    assert (answer.sequence, answer.verdict, answer.ref) == (7, verdict, number.hex())
    assert bool(answer.why) == (result != 0)


def test_an_answer_to_another_connections_submit_is_about_none_of_ours() -> None:
    number = sgip().submit(7, parts("x", 1)[0], "13800000001", 0, NOW)[8:20]
    ours = sgip()
    ours.submit(7, parts("x", 1)[0], "13800000001", 0, NOW)
    for foreign in (number, NUMBER, bytes(12), b"\xff" * 12):
        answer = ours.read(frame(0x80000003, bytes(9), foreign))
        assert isinstance(answer, Answered)
        assert answer.sequence == 0


@pytest.mark.parametrize(
    ("state", "error", "evidence", "word"),
    [
        (0, 0, Evidence.DELIVERED, ""),
        (1, 0, None, ""),
        (2, 29, Evidence.FAILED, "空号"),
        (2, 250, Evidence.FAILED, "250"),
    ],
)
def test_a_report_names_the_submit_and_says_what_became_of_it(
    state: int, error: int, evidence: Evidence | None, word: str
) -> None:
    about = struct.pack(">III", NODE, 810030005, 5)
    report = sgip().read(frame(5, struct.pack(">12sB21sBB8x", about, 0, b"8613800000001", state, error)))
    assert isinstance(report, Reported)
    assert report.ref == about.hex()
    assert judge(report.status) is evidence
    assert word in report.status
    assert report.acknowledgement == frame(0x80000005, bytes(9))


def test_a_reply_is_known_by_the_number_it_came_with() -> None:
    content = "收到".encode("utf-16-be")
    body = struct.pack(">21s21sBBBI", b"8613800000001", b"10690001", 0, 0, 8, len(content)) + content + bytes(8)
    said = sgip().read(frame(4, body))
    assert isinstance(said, Said)
    assert (said.id, said.address, said.piece.text) == (NUMBER.hex(), "13800000001", "收到")
    assert said.acknowledgement == frame(0x80000004, bytes(9))


@pytest.mark.parametrize(
    ("kind", "user", "password", "result"),
    [
        (2, b"smg", b"theirs", 0),
        (2, b"smg", b"theirs\0\0x", 1),
        (2, b"smg", b"their", 1),
        (2, b"county", b"ours", 1),
        (2, b"", b"", 1),
        (1, b"smg", b"theirs", 4),
    ],
)
def test_the_gateway_is_let_in_by_its_own_name_and_password(
    kind: int, user: bytes, password: bytes, result: int
) -> None:
    knocks = sgip().read(frame(1, struct.pack(">B16s16s8x", kind, user, password)))
    assert isinstance(knocks, Knocks)
    assert knocks.answer == frame(0x80000001, bytes([result]) + bytes(8))
    assert bool(knocks.why) == (result != 0)
    assert "theirs" not in knocks.why


def test_the_session_is_kept() -> None:
    assert sgip().read(frame(0x80000001, bytes(9))) == SignedIn()
    assert sgip().read(frame(0x80000001, b"\3" + bytes(8))) == SignedIn("连接过多")
    assert sgip().read(frame(2)) == Farewell(frame(0x80000002))
    assert sgip().read(frame(0x80000002)) == Farewell()
    assert sgip().ask(3) == b""


@pytest.mark.parametrize("odd", [b"", frame(99), frame(0x80000003), frame(5, bytes(35)), frame(4, bytes(48) + b"\1")])
def test_what_ends_too_soon_or_is_none_of_the_commands_is_refused(odd: bytes) -> None:
    with pytest.raises(WireError):
        sgip().read(odd)


def test_no_two_messages_of_a_process_have_one_number() -> None:
    numbers = set()
    links = [Series(NODE) for _ in range(20)]
    for second in range(3):
        for link in links:
            numbers |= {link.number(sequence, NOW + timedelta(seconds=second)) for sequence in range(1, 500)}
    assert len(numbers) == 3 * 20 * 499


@pytest.mark.parametrize("last", [1, 70_000, 0x7FFFFFFF])
def test_an_answer_finds_its_frame_however_long_the_connection_has_stood(last: int) -> None:
    series = Series(NODE)
    first = series.number(max(1, last - 60_000), NOW)
    latest = series.number(last, NOW)
    assert series.frame(first) == max(1, last - 60_000)
    assert series.frame(latest) == last


@pytest.mark.parametrize(
    "options",
    [
        {"node": 0},
        {"node": 5_000_000_000},
        {"listen": "8801"},
        {"listen": "0.0.0.0:70000"},
        {"listen": "0.0.0.0:0"},
        {"listen": "smg.local:8801"},
        {"listen": "::1:8801"},
        {"listen": "[10.0.0.1]:8801"},
        {"listen": "0.0.0.0:８８０１"},
        {"listen": "0.0.0.0:" + "9" * 5000},
        {"allow": ["10.0.0.0/99"]},
        {"smg_password": "x" * 17},
        {"corporation": "123456"},
        {"source": "10690001\n"},
        {"user": "county\n"},
    ],
)
def test_wrong_options_are_named_and_the_secret_is_not(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        read({**GOOD, **options})
    assert "very-secret" not in str(caught.value)
    assert next(iter(options)) in caught.value.what


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("0.0.0.0:8801", "0.0.0.0", 8801), ("[::]:65535", "::", 65535), ("10.1.2.3:1", "10.1.2.3", 1)],
)
def test_where_to_listen_is_read(listen: str, host: str, port: int) -> None:
    threshold = read({**GOOD, "listen": listen}).threshold
    assert (threshold.host, threshold.port) == (host, port)
