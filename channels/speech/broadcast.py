"""The broadcast as it is heard: tone, words, pause, words again, closing tone, at one level."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat

from broadcaster.errors import InputError
from broadcaster.ports import Medium
from channels.speech.segment import AudioSegment
from channels.speech.synthesizer import SAMPLE_BYTES, Speech
from channels.speech.tone import ATTENTION, BEEP, CHIME, CLOSING, SAMPLE_RATE, Tone, samples

SPEECH_LEVEL = -18.0  # dBFS RMS of the words; the encoder's limiter keeps peaks under -1 dBFS
LEAD = 0.5  # s of silence between a tone and the words
PAUSE = {Medium.LOUDSPEAKER: 1.5, Medium.VOICE: 1.0}  # s between repeats
REPEATS_MAX = 10
COLOURS = (*ATTENTION, "")
DRILL_WORD = "演练"
DRILL_NOTICE = "演练，演练，演练。"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is to be heard: made by `plan`, which refuses what cannot be."""

    words: str
    opening: Tone
    closing: Tone | None
    repeats: int
    pause: float

    def seconds(self, speech: float) -> float:
        """The whole length when the words take `speech` seconds."""
        around = self.opening.seconds + LEAD
        if self.closing is not None:
            around += LEAD + self.closing.seconds
        return around + self.repeats * speech + (self.repeats - 1) * self.pause


def plan(text: str, medium: Medium, *, colour: str, repeats: int, drill: bool) -> Broadcast:
    """What will be heard. A drill has no alarm tone and always says that it is one. Raises `InputError`."""
    if medium not in PAUSE:
        raise InputError(f"{medium} 渠道没有声音。", remedy="广播音频只用于 voice 和 loudspeaker。")
    if colour not in COLOURS:
        raise InputError(f"不认识的预警颜色 {colour!r}。", remedy="可用：red、orange、yellow、blue，或留空。")
    if not 1 <= repeats <= REPEATS_MAX:
        raise InputError(f"播报遍数 {repeats} 不在 1 到 {REPEATS_MAX} 之间。", remedy=f"请填 1 到 {REPEATS_MAX}。")
    words = _speakable(text)
    if drill and DRILL_WORD not in words:
        words = DRILL_NOTICE + words
    loud = medium is Medium.LOUDSPEAKER
    attention = CHIME if drill or not colour else ATTENTION[colour]
    return Broadcast(words, attention if loud else BEEP, CLOSING if loud else None, repeats, PAUSE[medium])


def assemble(broadcast: Broadcast, speech: Speech) -> AudioSegment:
    """The broadcast as one mono segment of 16-bit samples at the tones' rate, the words at `SPEECH_LEVEL`."""
    words = _segment(speech.samples, speech.sample_rate)
    words = words.apply_gain(SPEECH_LEVEL - words.dBFS).set_frame_rate(SAMPLE_RATE)
    said = words.raw_data
    between = _silence(broadcast.pause)
    parts = [samples(broadcast.opening), _silence(LEAD), said]
    parts += chain.from_iterable(repeat((between, said), broadcast.repeats - 1))
    if broadcast.closing is not None:
        parts += [_silence(LEAD), samples(broadcast.closing)]
    return _segment(b"".join(parts), SAMPLE_RATE)


def _speakable(text: str) -> str:
    """The text without control characters; they would end or garble the speech."""
    words = "".join(character if character.isprintable() or character == "\n" else " " for character in text).strip()
    if not any(character.isalnum() for character in words):
        raise InputError("播报文字里没有能读出的字。", remedy="请写入要播报的文字。")
    return words


def _segment(raw: bytes, sample_rate: int) -> AudioSegment:
    return AudioSegment(raw, sample_width=SAMPLE_BYTES, frame_rate=sample_rate, channels=1)


def _silence(seconds: float) -> bytes:
    return bytes(SAMPLE_BYTES * round(seconds * SAMPLE_RATE))
