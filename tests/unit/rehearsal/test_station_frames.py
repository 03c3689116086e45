"""A rehearsal's station and our centre speak the same SL 651, though written apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.sl651 import text
from adapters.sl651.frame import EOT, Framer, answer
from broadcaster.rehearsal.fronts import station_frames as frames
from broadcaster.rehearsal.fronts.station_frames import Answers, Confirmed

STATION, AT = "70110300", datetime(2026, 8, 9, 11, 0, 7, 654321, tzinfo=UTC).timestamp()
ELEMENTS = ((frames.LEVEL, 5.7218), (frames.FLOW, 1059.25), (frames.VOLTAGE, 12.6))


def test_a_report_is_read_as_it_was_meant_to_the_second() -> None:
    octets = frames.report(STATION, 65_535, AT, ELEMENTS, frames.ADDED)
    (frame,) = Framer("big").feed(octets)
    said = text.read(frame.function, frame.text, STATION, text.ELEMENTS, seconds=True)
    assert (frame.station, frame.function, said.serial) == (f"00{STATION}", frames.ADDED, b"\xff\xff")
    values = {one.element: one.value for one in said.readings}
    assert values == {"water_level": 5.722, "flow": 1059.25, "voltage": 12.6}
    assert {one.at for one in said.readings} == {datetime(2026, 8, 9, 11, 0, 7, tzinfo=UTC)}


@pytest.mark.parametrize("level", [-3.25, 0.0, 9999.999])
def test_levels_have_their_sign_and_three_decimals(level: float) -> None:
    (frame,) = Framer("big").feed(frames.report(STATION, 1, AT, ((frames.LEVEL, level),)))
    (reading,) = text.read(frame.function, frame.text, STATION, text.ELEMENTS).readings
    assert reading.value == level


def test_confirmations_are_found_in_pieces_among_noise_and_others_are_not_ours() -> None:
    mine, others = Answers(STATION), Answers("70110400")
    (frame,) = Framer("big").feed(frames.report(STATION, 258, AT, ELEMENTS))
    confirmation = answer(frame, b"\x01\x02", bytes.fromhex("260809190008"), EOT, "big")
    spoilt = confirmation[:-1] + bytes((confirmation[-1] ^ 1,))
    stream = b"\x7e\x7e\x00noise" + spoilt + confirmation + b"~" + confirmation
    found = [one for place in range(len(stream)) for one in mine.feed(stream[place : place + 1])]
    assert found == [Confirmed(frames.TIMED, 258)] * 2
    assert others.feed(confirmation) == []
