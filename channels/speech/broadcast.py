"""The broadcast as it is heard: tone, words, pause, words again, closing tone, at one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Passage
from channels.speech.segment import AudioSegment, segment
from channels.speech.synthesizer import SAMPLE_BYTES, canonical
from channels.speech.tone import ATTENTION, BEEP, CHIME, CLOSING, SAMPLE_RATE, Tone, samples

LEAD = 0.5  # s of silence between a tone and the words
PAUSE = {Medium.LOUDSPEAKER: 1.5, Medium.VOICE: 1.0}  # s between repeats, and between languages
REPEATS_MAX = 10
COLOURS = (*ATTENTION, "")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a drill says in one language, and the words of which one must be in its text or it is said first."""

    opening: str
    words: tuple[str, ...]


CHINESE = Notice("演练，演练，演练。", ("演练",))
NOTICES = {"en": Notice("This is a drill. This is a drill. ", ("drill", "exercise"))}


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is to be heard: made by `plan`, which refuses what cannot be."""

    passages: tuple[Passage, ...]
    opening: Tone
    closing: Tone | None
    repeats: int
    pause: float

    def seconds(self, spoken: Sequence[float]) -> float:
        """The whole length when the passages take so many seconds each."""
        around = self.opening.seconds + LEAD
        if self.closing is not None:
            around += LEAD + self.closing.seconds
        gaps = self.repeats * len(spoken) - 1
        return around + self.repeats * sum(spoken) + gaps * self.pause


def plan(passages: Sequence[Passage], medium: Medium, *, colour: str, repeats: int, drill: bool) -> Broadcast:
    """What will be heard. A drill has no alarm tone and always says that it is one. Raises `InputError`."""
    if medium not in PAUSE:
        raise InputError(f"{medium} 渠道没有声音。", remedy="广播音频只用于 voice 和 loudspeaker。")
    if colour not in COLOURS:
        raise InputError(f"不认识的预警颜色 {colour!r}。", remedy="可用：red、orange、yellow、blue，或留空。")
    if not 1 <= repeats <= REPEATS_MAX:
        raise InputError(f"播报遍数 {repeats} 不在 1 到 {REPEATS_MAX} 之间。", remedy=f"请填 1 到 {REPEATS_MAX}。")
    said = tuple(_said(passage, drill=drill) for passage in passages)
    loud = medium is Medium.LOUDSPEAKER
    attention = CHIME if drill or not colour else ATTENTION[colour]
    return Broadcast(said, attention if loud else BEEP, CLOSING if loud else None, repeats, PAUSE[medium])


def assemble(broadcast: Broadcast, spoken: Sequence[bytes]) -> AudioSegment:
    """The broadcast as one mono segment of 16-bit samples at the tones' rate; `spoken` are the samples of its passages,
    at that rate and already at their level."""
    between = _silence(broadcast.pause)
    words = between.join([said for _ in range(broadcast.repeats) for said in spoken])
    parts = [samples(broadcast.opening), _silence(LEAD), words]
    if broadcast.closing is not None:
        parts += [_silence(LEAD), samples(broadcast.closing)]
    return segment(b"".join(parts), SAMPLE_RATE)


def _said(passage: Passage, *, drill: bool) -> Passage:
    words = _speakable(passage.text)
    notice = NOTICES.get(canonical(passage.language).partition("-")[0], CHINESE)
    if drill and not any(word in words.casefold() for word in notice.words):
        words = notice.opening + words
    return Passage(words, passage.language)


def _speakable(text: str) -> str:
    """The text without control characters; they would end or garble the speech."""
    words = "".join(character if character.isprintable() or character == "\n" else " " for character in text).strip()
    if not any(character.isalnum() for character in words):
        raise InputError("播报文字里没有能读出的字。", remedy="请写入要播报的文字。")
    return words


def _silence(seconds: float) -> bytes:
    return bytes(SAMPLE_BYTES * round(seconds * SAMPLE_RATE))
