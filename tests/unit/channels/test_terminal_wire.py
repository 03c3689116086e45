"""The bytes of GD/J 089."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.ports import Notice
from broadcaster.rehearsal.fronts import terminal_frames
from channels.loudspeaker.terminal_tcp.checksum import checksum
from channels.loudspeaker.terminal_tcp.dialect import Dialect, WireError, packed, unpacked
from channels.loudspeaker.terminal_tcp.orders import Play, class_of, event_of, level_of, stop
from channels.loudspeaker.terminal_tcp.reports import (
    Answer,
    Fault,
    Heartbeat,
    Played,
    Switched,
    acknowledgement,
    answer,
    report,
)
from channels.loudspeaker.terminal_tcp.wire import Frame, Kind, Layout

HEARTBEAT = bytes.fromhex(
    "FEFD010000000001010035F634152300000003140104010001F43415230000000103010101100009010106010203040506DD82C425"
)
TERMINAL, PLATFORM = "63415230000000314010401", "43415230000000103010101"
MESSAGE = PLATFORM + "20261127" + "0007"
AT = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
OLD = "634152000000314010"


def test_the_checksum_is_crc_32_mpeg_2() -> None:
    assert checksum(b"123456789") == 0x0376E6E7
    assert checksum(b"") == 0xFFFFFFFF


def test_the_adapters_test_vector_has_the_same_checksum() -> None:
    frame = bytes.fromhex("49 0001 04 01 00000013" + "00" * 18 + "02" + "0000")
    assert checksum(frame) == 0xF470BF7D


def test_the_heartbeat_of_the_notes_is_read_and_written() -> None:
    layout = Layout(Dialect())
    assert layout.size(HEARTBEAT, 0) == len(HEARTBEAT) == 0x35
    frame = layout.read(HEARTBEAT)
    assert frame == Frame(1, False, TERMINAL, (PLATFORM,), Kind.HEARTBEAT, bytes.fromhex("010106010203040506"))
    assert layout.write(frame) == HEARTBEAT
    assert report(frame.kind, frame.body, layout.dialect) == Heartbeat(1, first=True)


def test_the_terminals_own_codec_says_the_same() -> None:
    body = bytes.fromhex("010106010203040506")
    theirs = terminal_frames.Frames(TERMINAL, PLATFORM, flagged=False)
    assert theirs.write(1, terminal_frames.REQUEST, terminal_frames.HEARTBEAT, body) == HEARTBEAT


@pytest.mark.parametrize("flagged", [False, True])
def test_an_order_is_what_the_terminal_understands(flagged: bool) -> None:
    layout = Layout(Dialect(sign_flag=flagged))
    order = Play(MESSAGE, 4, 1, "11B03", 80, AT, AT + timedelta(seconds=40), "http://10.1.2.3:7090/x.mp3", "台风")
    frame = layout.write(Frame(9, False, PLATFORM, (TERMINAL,), Kind.PLAY, order.body(layout.dialect)))
    (heard,) = terminal_frames.Frames(TERMINAL, PLATFORM, flagged=flagged).feed(frame)
    assert (heard.session, heard.packet, heard.kind) == (9, 1, 1)
    assert terminal_frames.order(heard.body) == (
        MESSAGE, int(AT.timestamp()), int(AT.timestamp()) + 40, "http://10.1.2.3:7090/x.mp3",
    )  # fmt: skip


def test_an_orders_octets_are_those_of_the_table() -> None:
    body = Play(MESSAGE, 4, 1, "11B03", 0x64, AT, AT, "http://h/a").body(Dialect())
    time = f"{int(AT.timestamp()):08x}"
    sound = "04 01 0000 000000000000000000" + b"http://h/a".hex()
    assert body.hex() == (
        f"f{MESSAGE} 04 01 {b'11B03'.hex()} 64 {time} {time} 01 02 0017 {sound}".replace(" ", "").lower()
    )


def test_the_text_goes_along_in_gb2312() -> None:
    body = Play(MESSAGE, 4, 1, "11B03", 0xFF, AT, AT, "http://h/a", "请转移").body(Dialect())
    assert body.endswith(b"\x01\x00\x06" + "请转移".encode("gb2312"))


def test_stop_names_the_message() -> None:
    assert stop(MESSAGE).hex() == "f" + MESSAGE


def test_the_old_edition_has_codes_of_18_digits_and_ids_of_30() -> None:
    dialect = Dialect(digits=18)
    layout = Layout(dialect)
    frame = Frame(1, False, OLD, (OLD, OLD), Kind.SWITCHED, b"\1\2" + packed(OLD + "202611270001"))
    data = layout.write(frame)
    assert layout.read(data) == frame
    assert len(packed(OLD)) == 9
    assert report(frame.kind, frame.body, dialect) == Switched(True, 2, OLD + "202611270001")


def test_local_time_is_eight_hours_ahead() -> None:
    dialect = Dialect(local_time=True)
    assert int.from_bytes(dialect.time(AT)) - int.from_bytes(Dialect().time(AT)) == 8 * 3600
    assert dialect.moment(dialect.time(AT)) == AT


@pytest.mark.parametrize("flagged", [False, True])
def test_a_signature_stands_behind_header_and_body_with_the_length_of_the_whole(flagged: bool) -> None:
    layout, seal = Layout(Dialect(sign_flag=flagged)), bytes(range(74))
    frame = Frame(1, False, TERMINAL, (PLATFORM,), Kind.HEARTBEAT, b"\1\1\0")
    content = layout.content(frame, signed=True)
    data = layout.sealed(content, seal)
    assert not flagged or data[9] == 1
    assert int.from_bytes(data[layout.head - 2 : layout.head]) == len(data) == len(content) + 2 + 74 + 4
    assert data[-80:-78] == b"\0\x4a"
    assert layout.read(data) == frame._replace(signature=seal)
    assert layout.signed(data) == content
    assert layout.write(frame._replace(signature=seal)) == data


def test_a_length_of_no_signature_is_read_over() -> None:
    unsigned = Layout(Dialect()).write(Frame(1, False, TERMINAL, (PLATFORM,), 0x10, b"\1\1\0"))
    content = unsigned[:9] + (len(unsigned) + 2).to_bytes(2) + unsigned[11:-4] + b"\0\0"
    assert Layout(Dialect()).read(content + checksum(content).to_bytes(4)).signature == b""


@pytest.mark.parametrize("damage", [4, 20, 40, 52])
def test_a_damaged_frame_is_refused(damage: int) -> None:
    data = bytearray(HEARTBEAT)
    data[damage] ^= 0x10
    with pytest.raises(WireError, match="checksum"):
        Layout(Dialect()).read(bytes(data))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "begin"),
        (HEARTBEAT[:9] + b"\x00\x05", "5 octets"),
        (HEARTBEAT[:9] + b"\xff\xff", "65535"),
    ],
)
def test_what_is_no_frame_is_known_by_its_head(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        Layout(Dialect()).size(data, 0)


def test_results_are_read() -> None:
    body = terminal_frames.played(MESSAGE, good=False, words="功放故障", began=1000, ended=1010, now=1011)
    found = report(Kind.PLAYED, body, Dialect())
    assert found == Played(
        MESSAGE, False, "功放故障", datetime.fromtimestamp(1000, UTC), datetime.fromtimestamp(1010, UTC), 1
    )


def test_a_fault_says_what_broke() -> None:
    body = b"\1\3" + "功放".encode("gb18030").ljust(255, b"\0") + b"\0\0\0\1"
    assert report(Kind.FAULT, body, Dialect()) == Fault(True, 3, "功放")


@pytest.mark.parametrize("kind", [Kind.HEARTBEAT, Kind.FAULT, Kind.SWITCHED, Kind.PLAYED])
def test_a_report_that_ends_too_soon_is_refused(kind: Kind) -> None:
    with pytest.raises(WireError, match="too soon"):
        report(kind, b"\1", Dialect())


def test_answers_have_a_result_and_words() -> None:
    assert answer(terminal_frames.answered(3, "正在播发")) == Answer(3, "正在播发")
    assert answer(b"\0") == Answer(0, "")


def test_a_heartbeat_is_answered_with_the_time() -> None:
    assert acknowledgement(0, AT, Dialect()) == b"\0\0\0" + int(AT.timestamp()).to_bytes(4)
    assert acknowledgement(0, None, Dialect()) == b"\0\0\0"


def notice(**changes: object) -> Notice:
    given = {
        "identifier": "i", "kind": "warning", "status": "Actual", "msg_type": "Alert", "title": "t", "sender": "s",
        "sent": AT, "starts": AT, "ends": AT, **changes,
    }  # fmt: skip
    return Notice(**given)  # type: ignore[arg-type]


def test_the_class_says_whether_it_is_a_drill() -> None:
    assert class_of(notice()) == 4
    assert class_of(notice(status="Exercise")) == 3
    assert class_of(notice(status="Test")) == 2
    assert class_of(None) == 2


def test_the_level_is_the_colours() -> None:
    assert [level_of(notice(colour=one), 0) for one in ("red", "orange", "yellow", "blue")] == [1, 2, 3, 4]
    assert level_of(notice(), 2) == 3


def test_an_event_has_five_characters() -> None:
    assert event_of(notice(event="11B03")) == "11B03"
    assert event_of(notice(event="台风")) == event_of(None) == "00000"


def test_codes_that_are_not_digits_are_refused() -> None:
    with pytest.raises(WireError):
        unpacked(b"\xfa" * 12, 23)
