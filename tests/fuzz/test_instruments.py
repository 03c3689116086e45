"""Whatever an instrument, or somebody in its place, sends: it is understood or passed over, at little cost."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest

from adapters.door.crc import hj212, modbus
from adapters.hj212 import packet, values
from adapters.mqtt import mapping
from adapters.sl651 import frame, text
from broadcaster.errors import InputError
from broadcaster.triggers import rule
from broadcaster.triggers.rule import BEGINNING
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SELDOM, SHORT, Bound, Decoder
from tests.unit.triggers.test_hj212 import AT, REAL_TIME
from tests.unit.triggers.test_mqtt_mapping import FLAT, LISTED
from tests.unit.triggers.test_rule import DISTRICT, RULE
from tests.unit.triggers.test_sl651 import STATION
from tests.unit.triggers.test_sl651 import frame as hydrological

_BODIES = (
    "392300012345261900123438121235372300000500",
    "3923FF012345FF01102039",
    "F4600000000000000000000005FFF5C0" + "0064" * 12,
)


def _hear(octets: bytes) -> None:
    """As a conversation does: the frames in it, and what each says; nonsense is passed over."""
    for one in frame.Framer("big").feed(octets):
        text.read(one.function, one.text, STATION, text.ELEMENTS)


def _mended(octets: bytes) -> bytes:
    """With the length that it has, and its CRC."""
    if len(octets) < frame.HEAD + frame.TAIL:
        return octets
    made = bytearray(octets)
    length = len(made) - frame.HEAD - frame.TAIL
    made[:2], made[11], made[12], made[13] = frame.START, length >> 8 & 0x0F, length & 0xFF, frame.STX
    made[-3] = frame.ETX
    made[-2:] = modbus(bytes(made[:-2])).to_bytes(2, "big")
    return bytes(made)


def _monitor(octets: bytes) -> None:
    for one in packet.Framer().feed(octets):
        if one.command in values.COMMANDS:
            at = values.moment(one.parameters) or AT
            list(values.readings(one.command, one.parameters, one.station, values.ELEMENTS, at))


def _repacked(octets: bytes) -> bytes:
    data = octets[6:-6][:9999]
    return b"##%04d%s%04X\r\n" % (len(data), data, hj212(data))


def _message(octets: bytes) -> None:
    for options in (FLAT, LISTED):
        with suppress(mapping.MappingError):
            for one in mapping.readings(options, "county/s-1/up", octets, AT):
                assert math.isfinite(one.value)
                assert one.at.tzinfo is not None


def _rule(octets: bytes) -> None:
    """Read as it was saved, it is the rule that was checked."""
    text = octets.decode("utf-8", "replace")
    assert rule.read(text, DISTRICT, ("flood",)) == rule.stored(text)


HYDROLOGICAL = Decoder(
    "sl651",
    _hear,
    [frame.report(hydrological(body)) for body in _BODIES],
    (text.TextError, ConnectionAbortedError),
    mend=_mended,
    tokens=[b"\x7e\x7e", b"\xf1\xf1", b"\xf0\xf0", b"\xf4\x60", b"\x04\x18"],
    steps=Bound(4_000, 60),
    memory=Bound(64 * 1024, 128),  # an hour in fives is twelve readings of one octet each
)
MONITOR = Decoder(
    "hj212",
    _monitor,
    [packet.write(REAL_TIME), packet.write(REAL_TIME.replace("2011", "2061").replace("Rtd", "Avg"))],
    (ConnectionAbortedError,),
    mend=_repacked,
    tokens=[b"##", b"CP=&&", b"&&", b";", b",", b"-Flag=N", b"DataTime="],
    steps=Bound(4_000, 60),
)
BROKER = Decoder(
    "mqtt",
    _message,
    [
        b'{"ts": 1786302000, "data": {"level": 345, "rain": "2.5"}}',
        b'{"t": "2026-08-10 03:00:00", "points": [{"dev": "s-1", "k": "SW", "v": 3.4}, {"dev": 7, "k": "x", "v": 1}]}',
    ],
    tokens=[
        b"{",
        b"[",
        b'"',
        b"null",
        b"1e999",
        b"-0",
        b"NaN",
        b"\\u0000",
        b'"points":',
        b'"dev":',
        b"99999999999999999999",
    ],
)
LANGUAGE = Decoder(
    "rule",
    _rule,
    [RULE.encode(), BEGINNING.replace('""', '"x"', 1).encode()],
    (InputError,),
    tokens=[
        b"[[levels]]",
        b"[area]",
        b"nan",
        b"inf",
        b"1e999",
        b"2026-01-01",
        b"= [",
        b"{",
        b'"""',
        b"at_least = ",
        b"99999999999999999999",
    ],
    steps=Bound(20_000, 200),  # tomllib is Python
    memory=Bound(2 * 1024 * 1024, 256),  # keys with many dots are as many tables
)
DECODERS = [HYDROLOGICAL, MONITOR, BROKER, LANGUAGE]


@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_every_frame_is_understood_or_passed_over(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, SHORT, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_a_million_frames_are_understood_or_passed_over(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, LONG, SELDOM)
