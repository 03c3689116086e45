"""Who makes what is heard: the studio and its speech engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from broadcaster.ports.message import Medium
from broadcaster.ports.sound import Audio, Passage, Sound


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One speech engine of the settings, with its own keys as they were written; `place` says where that was
    ("daohu.toml:12"), relative paths start at `folder`."""

    engine: str
    options: Mapping[str, object] = field(default_factory=dict)
    place: str = ""
    folder: Path = Path()


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What a speech engine did when it was tried: `seconds` of speech in `took` seconds, or what is wrong with it and
    what to do."""

    engine: str
    seconds: float = 0.0
    took: float = 0.0
    problem: str = ""
    remedy: str = ""


class Studio(Protocol):
    """Makes the files that loudspeakers play and calls say. The core is handed one; it does not know how it is done."""

    async def build(
        self,
        text: str,
        medium: Medium,
        *,
        colour: str,
        repeats: int = 1,
        drill: bool = False,
        language: str = "zh-CN",
        sound: Sound | None = None,
        then: Sequence[Passage] = (),
    ) -> Audio:
        """The finished broadcast of `text` (voice or loudspeaker); the same text again costs nothing.

        `colour` is red, orange, yellow, blue or "" and chooses the attention tone; `repeats` 1 to 10; `sound` the
        file's format, None for the medium's own. `then` is said after `text` each time, in its languages; what no voice
        can say is left out. Raises `InputError` for what cannot be said and `UnavailableError` when speech, encoder or
        disk fail.
        """
        ...

    def estimate(
        self,
        text: str,
        medium: Medium,
        *,
        colour: str,
        repeats: int = 1,
        drill: bool = False,
        language: str = "zh-CN",
        then: Sequence[Passage] = (),
    ) -> float:
        """About how many seconds that broadcast will last; nothing is built."""
        ...

    def wording(self, text: str, language: str = "zh-CN") -> str:
        """The text as the voice gets it: words that voices misread are spelt as they sound."""
        ...

    def speaks(self, language: str) -> bool:
        """Whether there is a voice for a BCP 47 language."""
        ...

    async def examine(self, words: Mapping[str, str] | None = None) -> Sequence[EngineReport]:
        """Let every engine, in the order in which they are asked, say something: the first of `words`, by language, for
        which it has a voice; a short phrase if nothing else is said. Nothing is kept."""
        ...

    async def warm(self) -> None:
        """Start what takes its time when it is first used; faults are left to whoever speaks first."""
        ...

    async def close(self) -> None:
        """Give up what is being built and end the speech engine."""
        ...
