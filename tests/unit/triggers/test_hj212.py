"""HJ 212 packets: found in any stream, read, answered when they are stored."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from adapters.door.crc import hj212, modbus
from adapters.hj212 import values
from adapters.hj212.packet import Framer, answer, read, write
from adapters.hj212.sensor import Hj212Options, Talk
from broadcaster.clock import BEIJING, SystemClock
from broadcaster.journal import GatewayJournal
from tests.unit.triggers.test_sl651 import Kept

STANDARD = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
HEAD = "QN=20260809190000000;ST=31;CN={command};PW=123456;MN=010000A8900016F000169DC0;Flag={flag};"
REAL_TIME = HEAD.format(command=2011, flag=5) + (
    "CP=&&DataTime=20260809190000;a34004-Rtd=35.5,a34004-Flag=N;a21026-Rtd=0.9,a21026-Flag=D;zz99-Rtd=1e2;"
    "a34002-Rtd=x,a34002-Flag=N&&"
)
AT = datetime(2026, 8, 9, 19, 0, tzinfo=BEIJING)


def talk(sink: Kept, **options: object) -> Talk:
    made = Hj212Options(port=1, **options)  # type: ignore[arg-type]
    return Talk(made, {**values.ELEMENTS, **made.elements}, sink, GatewayJournal(SystemClock()))


async def said(one: Talk, data: bytes) -> bytes:
    return b"".join([piece async for piece in one.hear(data)])


def test_the_standards_own_packet_has_its_length_and_crc() -> None:
    packet = write(STANDARD.decode())
    assert packet == b"##0101" + STANDARD + b"1C80\r\n"
    assert modbus(b"123456789") == 0x4B37
    assert hj212(b"") == 0xFFFF


def test_packets_are_found_in_any_pieces_among_noise() -> None:
    random = Random(5)
    sent = [REAL_TIME.replace("35.5", str(number)) for number in range(40)]
    stream = b"".join(random.randbytes(random.randint(0, 9)) + write(one) for one in sent)
    framer, found = Framer(), []
    while stream:
        size = random.randint(1, 60)
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == [read(one.encode()) for one in sent]


async def test_what_is_measured_is_stored_and_answered_by_the_same_number() -> None:
    sink = Kept()
    answered = await said(talk(sink), write(REAL_TIME))
    assert [(one.element, one.value, one.at) for one in sink.readings] == [("pm25", 35.5, AT), ("zz99", 100.0, AT)]
    packet = read(REAL_TIME.encode())
    assert packet is not None
    assert answered == answer(packet)
    assert b"QN=20260809190000000;ST=91;CN=9014;" in answered
    with pytest.raises(OSError, match="away"):
        await said(talk(Kept(OSError("away"))), write(REAL_TIME))


async def test_averages_are_series_of_their_own_and_no_answer_is_given_that_nobody_wants() -> None:
    sink = Kept()
    for command in (2051, 2061, 2031):
        sent = HEAD.format(command=command, flag=4) + "CP=&&DataTime=20260809190000;a34004-Avg=30,a34004-Flag=N&&"
        assert await said(talk(sink), write(sent)) == b""
    assert [one.element for one in sink.readings] == ["pm25_minutes", "pm25_hour", "pm25_day"]


async def test_a_message_in_parts_has_the_time_of_its_first() -> None:
    sink = Kept()
    one = talk(sink)
    part = HEAD.format(command=2011, flag=7) + "PNUM=2;PNO={number};CP=&&{what}&&"
    second = write(part.format(number=2, what="a34002-Rtd=70,a34002-Flag=N"))
    assert await said(one, second) == b""
    first = write(part.format(number=1, what="DataTime=20260809190000;a34004-Rtd=35,a34004-Flag=N"))
    assert b"9014" in await said(one, first)
    assert b"9014" in await said(one, second)
    assert [(reading.element, reading.at) for reading in sink.readings] == [("pm25", AT), ("pm10", AT)]


async def test_a_wrong_password_and_a_nameless_monitor_are_passed_over() -> None:
    sink = Kept()
    assert await said(talk(sink, password="654321"), write(REAL_TIME)) == b""
    assert await said(talk(sink), write(REAL_TIME.replace("MN=010000A8900016F000169DC0", "MN="))) == b""
    assert sink.readings == []


async def test_nonsense_is_parted_from() -> None:
    with pytest.raises(ConnectionAbortedError):
        await said(talk(Kept()), b"##0001" * 200)
