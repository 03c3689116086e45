"""What a speech engine is to the studio; espeak-ng is the one that always works, others are asked before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from broadcaster.errors import UnavailableError

SAMPLE_BYTES = 2
PAUSES = frozenset("，。；：！？、,;:!?.\n")
_SAME = {"zh-hk": "yue", "zh-mo": "yue", "cmn": "zh"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text: signed 16-bit little-endian mono samples, and how many of them make a second."""

    samples: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it takes to play."""
        return len(self.samples) / SAMPLE_BYTES / self.sample_rate


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a voice speaks: seconds for a Chinese character, for a Latin letter or digit, and for a pause."""

    character: float
    letter: float
    pause: float

    def seconds(self, text: str) -> float:
        """About how long `text` takes."""
        pauses = sum(character in PAUSES for character in text)
        letters = sum(character.isascii() and character.isalnum() for character in text)
        characters = sum(character.isalnum() for character in text) - letters
        return characters * self.character + letters * self.letter + pauses * self.pause


NEWSREADER = Pace(0.25, 0.09, 0.2)
"""About what neural and cloud voices speak at without being told otherwise."""


class Fault(StrEnum):
    """Why an engine did not speak; the value is the word for it in logs."""

    DOWN = "down"
    """It cannot be reached, or does not start."""
    SLOW = "slow"
    """It did not answer in time."""
    BUSY = "busy"
    """Too many requests at this moment."""
    QUOTA = "quota"
    """What was paid for is used up."""
    REFUSED = "refused"
    """It does not let us in: key, signature, clock, rights."""
    TEXT = "text"
    """It does not take this text; others it may."""
    NONSENSE = "nonsense"
    """What it answered is no speech."""


class EngineError(UnavailableError):
    """An engine did not speak; the next one is asked."""

    code = "unavailable"

    def __init__(self, fault: Fault, what: str, *, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.fault = fault


class Synthesizer(Protocol):
    """A speech engine. `name` is its word in settings and logs; it has a time limit of its own for every text."""

    name: str

    def voice(self, language: str) -> str | None:
        """States engine, version, voice and manner for BCP 47 `language`: the same voice and text give the same words
        heard. None when it does not speak that language."""
        ...

    async def speak(self, text: str, language: str) -> Speech:
        """Say `text`. `InputError` for what cannot be said, `EngineError` when the engine fails."""
        ...

    def estimate(self, text: str) -> float:
        """About how many seconds `text` takes to say, without saying it."""
        ...

    async def close(self) -> None:
        """End the engine; the next `speak` starts it again. Never raises."""
        ...


def voice_among(voices: Mapping[str, str], language: str) -> str | None:
    """The voice for a BCP 47 tag among `voices` by language: by the whole tag, by its primary part, or of another
    region of the same language. Cantonese is `yue`, whether it is called that or zh-HK."""
    wanted = canonical(language)
    primary = wanted.partition("-")[0]
    known = {canonical(tag): voice for tag, voice in voices.items()}
    if found := known.get(wanted) or known.get(primary):
        return found
    return next((voice for tag, voice in known.items() if tag.partition("-")[0] == primary), None)


def canonical(language: str) -> str:
    """A tag in small letters, and one tag for one language."""
    tag = language.casefold()
    return _SAME.get(tag, tag)
