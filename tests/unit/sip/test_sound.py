"""What calls say: laws, recordings, repeats, the pace; what they hear: keys."""

from __future__ import annotations

import asyncio
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from channels.voice.sip.media import rtcp, rtp
from channels.voice.sip.media.g711 import A_TO_MU, a_law, mu_law
from channels.voice.sip.media.media import HELD_MOST, Media
from channels.voice.sip.media.pacer import Pacer
from channels.voice.sip.media.recording import Recording, RecordingError, read
from channels.voice.sip.media.speech import Speech
from channels.voice.sip.sdp import Session
from tests.contract.rehearsal_peer import tone
from tests.harness.calls import a_law as recording_file
from tests.harness.calls import sound_of
from tests.harness.hand_timers import HandTimers

SILENT = b"\xd5" * 160


def test_a_law_of_linear_samples_is_what_the_standards_table_says() -> None:
    """ITU-T G.711, table 1a: ends of segments, silence, full scale, both signs."""
    samples = {0: 0xD5, 15: 0xD5, 16: 0xD4, 256: 0xC5, 512: 0xF5, 1024: 0xE5, 32767: 0xAA}
    for sample, octet in samples.items():
        assert a_law(struct.pack("<h", sample))[0] == octet, sample
    assert a_law(struct.pack("<h", -32768))[0] == 0x2A
    assert a_law(struct.pack("<h", -1))[0] == 0x55


def test_silence_stays_silence_in_the_other_law_and_signs_stay_signs() -> None:
    assert mu_law(b"\xd5\x55") == b"\xfe\x7e"
    assert all((octet & 0x80) == (A_TO_MU[octet] & 0x80) for octet in range(256))


def test_a_recording_is_whole_packets_of_exactly_its_sound(tmp_path: Path) -> None:
    audio = recording_file(tmp_path / "a.wav", 0.333)
    found = read(audio.path)
    sound = b"".join(found.packet(n, 8) for n in range(found.packets))
    assert found.packets == 17
    assert sound == sound_of(audio).ljust(17 * 160, b"\xd5")
    assert b"".join(found.packet(n, 0) for n in range(found.packets)) == mu_law(sound)
    assert read(tone(tmp_path, 0.5).path).packets == 25


@pytest.mark.parametrize(
    "content", [b"", b"RIFF\0\0\0\0WAVE", b"ID3 an mp3", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + b"\1" * 16]
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.wav").write_bytes(content)
    with pytest.raises(RecordingError):
        read(tmp_path / "odd.wav")
    with pytest.raises(RecordingError):
        read(tmp_path / "none.wav")


def test_the_message_is_repeated_with_pauses_and_then_a_key_is_waited_for() -> None:
    recording = Recording(b"\x11" * 320)
    speech = Speech(recording, repeats=2, pause=0.04, tail=0.06)
    said = []
    while (packet := speech.packet(8)) is not None:
        said.append("s" if packet == SILENT else "w")
    assert "".join(said) == "wwsswwsss"
    assert (speech.told, speech.over, speech.heard) == (True, True, 0.04)


def test_only_who_heard_all_of_it_once_was_told_and_again_begins_anew() -> None:
    speech = Speech(Recording(b"\x11" * 800), repeats=1, pause=0, tail=0)
    for _ in range(4):
        speech.packet(8)
    assert (speech.told, speech.heard) == (False, 0.08)
    speech.again()
    for _ in range(3):
        speech.packet(8)
    assert (speech.told, speech.heard) == (False, 0.08)
    speech.packet(8)
    speech.packet(8)
    assert speech.told


def test_an_hour_of_late_timers_loses_and_adds_no_packet() -> None:
    """Every timer comes up to 15 ms late, as on a busy machine."""

    class Late(HandTimers):
        def call_at(self, when: float, callback: object) -> object:  # type: ignore[override]
            return super().call_at(when + (len(turns) * 7 % 16) / 1000, callback)  # type: ignore[arg-type]

    turns: list[float] = []
    timers = Late()
    pacer = Pacer(timers)  # type: ignore[arg-type]

    def turn() -> bool:
        turns.append(timers.now)
        return True

    pacer.add(turn)
    timers.advance(3600)
    assert abs(len(turns) - 180_000) <= 1
    assert max(abs(at - 1000 - 0.02 * n) for n, at in enumerate(turns, 1)) < 0.016
    assert pacer.shifts == 0


def test_after_a_standstill_a_few_packets_follow_at_once_and_the_rest_in_their_time() -> None:
    timers, turns = HandTimers(), list[float]()
    pacer = Pacer(timers)

    def turn() -> bool:
        turns.append(timers.now)
        if len(turns) == 10:
            timers.now += 0.5
        return len(turns) < 50

    pacer.add(turn)
    timers.advance(5)
    assert len(turns) == 50
    assert len(pacer) == 0
    assert pacer.shifts == 1
    gaps = [round(later - sooner, 3) for sooner, later in pairwise(turns)]
    assert gaps.count(0.5) == 1
    assert sum(gap < 0.019 for gap in gaps) == 2


async def test_who_holds_a_call_for_long_gives_its_line_back() -> None:
    timers, done = HandTimers(), asyncio.Event()
    speech = Speech(Recording(b"\x11" * 320), repeats=1, pause=0, tail=0)
    media = Media("127.0.0.1", None, Pacer(timers), lambda _: None)
    try:
        media.begin(Session("127.0.0.1", 9, 8, 8, None, held=True), speech, done.set)
        timers.advance(HELD_MOST - 1)
        await asyncio.sleep(0)
        assert not done.is_set()
        timers.advance(2)
        await asyncio.sleep(0)
        assert done.is_set()
    finally:
        media.close()
    assert (speech.heard, speech.over) == (0, False)


def test_a_press_is_told_once_whatever_its_packets() -> None:
    presses = rtp.Presses()

    def take(event: int, timestamp: int, source: int = 7) -> str:
        octets = rtp.packet(101, 1, timestamp, source, bytes([event, 10, 0, 160]), marker=False)
        return presses.take(rtp.read(octets))

    assert [take(1, 100), take(1, 100), take(1, 100), take(1, 9000)] == ["1", "", "", "1"]
    assert [take(11, 17000), take(1, 100), take(16, 18000), take(200, 19000)] == ["#", "", "", ""]


def test_a_report_of_ours_says_what_was_sent_and_one_of_theirs_what_was_missed() -> None:
    report = rtcp.report(7, "daohu", 1_000_000_000.5, 160, 50, 8000)
    assert report[:4] == b"\x80\xc8\x00\x06"
    assert report[8:16] == struct.pack("!II", 3_208_988_800, 1 << 31)
    assert len(report) % 4 == 0
    theirs = b"\x81\xc9\x00\x07" + struct.pack("!IIBBHIIII", 9, 7, 64, 0, 3, 0, 0, 0, 0)
    assert rtcp.missed(theirs, 7) == 0.25
    assert rtcp.missed(theirs, 8) is None
    assert rtcp.missed(theirs[:20], 7) is None
