"""SL 651 frames: found in any stream, taken apart, confirmed; what is none is refused at little cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random

import pytest

from adapters.door.framer import MOST_SPOILT
from adapters.sl651 import text
from adapters.sl651.frame import EOT, Frame, Framer, Function, answer, report
from adapters.sl651.sensor import Sl651Options, Talk
from broadcaster.clock import BEIJING, SystemClock
from broadcaster.journal import GatewayJournal
from broadcaster.sensing import Reading

STATION = "0012345678"
HEAD = bytes.fromhex("0001260809190000")
ABOUT = bytes.fromhex("F1F1001234567848F0F02608091900")
AT = datetime(2026, 8, 9, 19, 0, tzinfo=BEIJING)


class Kept:
    """A sink that keeps what it is given, or fails."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.readings: list[Reading] = []
        self.fault = fault

    async def keep(self, readings: Sequence[Reading]) -> None:
        if self.fault is not None:
            raise self.fault
        self.readings += readings


def frame(body: str, function: int = Function.TIMED, **more: int) -> Frame:
    return Frame(1, STATION, b"\x12\x34", function, HEAD + ABOUT + bytes.fromhex(body), **more)  # type: ignore[arg-type]


def talk(sink: Kept, **options: object) -> Talk:
    made = Sl651Options(port=1, **options)  # type: ignore[arg-type]
    return Talk(made, {**text.ELEMENTS, **made.elements}, sink, GatewayJournal(SystemClock()))


async def said(one: Talk, data: bytes) -> bytes:
    return b"".join([piece async for piece in one.hear(data)])


@pytest.mark.parametrize("order", ["big", "little"])
def test_frames_are_found_in_any_pieces_among_noise(order: str) -> None:
    random = Random(3)
    sent = [frame(f"3923{random.randint(0, 99999999):08d}") for _ in range(40)]
    stream = b"".join(random.randbytes(random.randint(0, 9)) + report(one, order) for one in sent)
    framer, found = Framer(order), []
    while stream:
        size = random.randint(1, 50)
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == sent
    assert Framer("little" if order == "big" else "big").feed(report(sent[0], order)) == []


@pytest.mark.parametrize(
    ("body", "readings"),
    [
        ("392300012345", [("water_level", 12.345)]),
        ("3923FF012345", [("water_level", -12.345)]),
        ("3923AAAAAAAA", []),
        ("3923FFFFFFFF", []),
        (
            "392300012345261900123438121235372300000500",
            [("water_level", 12.345), ("rain_total", 123.4), ("voltage", 12.35), ("velocity", 0.5)],
        ),
        ("FF01101239392300001000", [("water_level", 1.0)]),
        ("39230001", None),
        ("392300AB0000", None),
        ("45200000000039230000100038121250", [("water_level", 1.0), ("voltage", 12.5)]),
    ],
)
def test_elements_are_read_with_sign_and_decimals(body: str, readings: list[tuple[str, float]] | None) -> None:
    one = frame(body)
    if readings is None:
        with pytest.raises(text.TextError):
            text.read(one.function, one.text, STATION, text.ELEMENTS)
        return
    found = text.read(one.function, one.text, STATION, text.ELEMENTS)
    assert [(reading.element, reading.value) for reading in found.readings] == readings
    assert {reading.at for reading in found.readings} <= {AT}


@pytest.mark.parametrize(
    ("sent", "dated"),
    [
        ("260809190007", "19:00:07"),
        ("260809190059", "19:00:59"),
        ("260809190100", "19:00:00"),
        ("26080919FF00", "19:00:00"),
    ],
)
def test_of_a_station_that_reports_by_the_second_values_have_the_second_of_their_sending(sent: str, dated: str) -> None:
    told = b"\0\1" + bytes.fromhex(sent) + ABOUT + bytes.fromhex("392300012345")
    (found,) = text.read(Function.TIMED, told, STATION, text.ELEMENTS, seconds=True).readings
    assert f"{found.at:%H:%M:%S}" == dated, "the minute of its observation stands"
    (plain,) = text.read(Function.TIMED, told, STATION, text.ELEMENTS).readings
    assert plain.at == AT


def test_even_steps_and_the_hour_in_fives_have_their_own_times() -> None:
    even = frame("041800000539230000100000001100AAAAAAAA00001300", Function.UNIFORM)
    found = text.read(even.function, even.text, STATION, text.ELEMENTS).readings
    assert [(f"{one.at:%H:%M}", one.value) for one in found] == [("19:00", 1.0), ("19:05", 1.1), ("19:15", 1.3)]
    hour = frame("F4600000000000000000000005FFF5C0" + "0064" * 11 + "FFFF", Function.HOURLY)
    found = text.read(hour.function, hour.text, STATION, text.ELEMENTS).readings
    rain = [(f"{one.at:%H:%M}", one.value) for one in found if one.element == "rainfall"]
    level = [(f"{one.at:%H:%M}", one.value) for one in found if one.element == "water_level"]
    assert (rain[0], rain[-1], len(rain)) == (("18:05", 0.0), ("18:55", 0.5), 11)
    assert (level[0], level[-1]) == (("18:05", 1.0), ("18:55", 1.0))


async def test_what_is_stored_is_confirmed_and_what_is_not_is_not() -> None:
    sink = Kept()
    confirmed = await said(talk(sink), report(frame("392300012345")))
    assert [(one.station, one.value) for one in sink.readings] == [("12345678", 12.345)]
    assert confirmed[:16] == bytes.fromhex("7E7E0012345678011234328008020001")
    assert (len(confirmed), confirmed[22]) == (25, EOT)
    with pytest.raises(OSError, match="away"):
        await said(talk(Kept(OSError("away"))), report(frame("392300012345")))


async def test_a_message_in_several_frames_is_confirmed_once_when_it_is_whole() -> None:
    whole = frame("3923000123452619001234").text
    pieces = [whole[:20], whole[20:25], whole[25:]]
    sent = [
        Frame(1, STATION, b"\0\0", Function.TIMED, piece, 3, number, number < 3)
        for number, piece in enumerate(pieces, start=1)
    ]
    sink = Kept()
    one = talk(sink)
    assert await said(one, report(sent[0]) + report(sent[2])) == b""
    assert sink.readings == []
    assert await said(one, report(sent[1]))
    assert [reading.value for reading in sink.readings] == [12.345, 123.4]


async def test_a_wrong_password_and_a_heartbeat_are_not_confirmed() -> None:
    sink = Kept()
    assert await said(talk(sink, password="9999"), report(frame("392300012345"))) == b""
    beat = Frame(1, STATION, b"\x12\x34", Function.HEARTBEAT, HEAD)
    assert await said(talk(sink), report(beat)) == b""
    assert await said(talk(sink, heartbeats=True), report(beat)) == answer(
        beat, b"\0\1", (await said(talk(sink, heartbeats=True), report(beat)))[16:22], EOT, "big"
    )
    assert sink.readings == []


async def test_endless_parts_and_nonsense_are_not_held() -> None:
    one = talk(Kept())
    for station in range(200):
        piece = Frame(1, f"{station:010d}", b"\0\0", Function.TIMED, bytes(4000), 60, 1, True)
        assert await said(one, report(piece)) == b""
    held = sum(len(part) for parts in one._parts.values() for part in parts.values())
    assert held < 80_000
    for station in range(5000):
        await said(one, report(Frame(1, f"{station:010d}", b"\0\0", Function.TIMED, b"", 60, 1, True)))
    assert len(one._parts) < 5000
    with pytest.raises(ConnectionAbortedError):
        await said(talk(Kept()), b"\x7e\x7e" * 20 * MOST_SPOILT)
    await asyncio.sleep(0)
