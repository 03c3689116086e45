"""What a speech engine is to the studio; espeak-ng is the one that always works, others can take its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text: signed 16-bit little-endian mono samples, and how many of them make a second."""

    samples: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it takes to play."""
        return len(self.samples) / SAMPLE_BYTES / self.sample_rate


class Synthesizer(Protocol):
    """A speech engine. `name` states engine, version and voice: the same name and text give the same sound."""

    name: str

    async def speak(self, text: str, language: str) -> Speech:
        """Say `text` (BCP 47 `language`). `InputError` for what cannot be said, `UnavailableError` when it fails."""
        ...

    def estimate(self, text: str) -> float:
        """About how many seconds `text` takes to say, without saying it."""
        ...

    async def close(self) -> None:
        """End the engine; the next `speak` starts it again. Never raises."""
        ...
