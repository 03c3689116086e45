"""How fast this machine speaks: each engine of the settings alone, then a whole broadcast in every format, new and
again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.ports import Medium, Sound, Studio

WARNING = (
    "鄞州区气象台发布台风红色预警信号，预计未来六小时内我区将受台风影响，平均风力可达十二级以上，"
    "请沿海、低洼地带居民立即转移到就近避灾安置点，听从村干部指挥，不要外出，关好门窗，切断电源，注意安全。"
)
ENGLISH = (
    "Typhoon red warning. Winds of force twelve and more are expected within six hours. "
    "People on the coast and on low ground, move to the nearest shelter now. Stay inside, close the windows."
)
WORDS = {"zh-CN": WARNING, "yue": WARNING, "en": ENGLISH}
"""What is said: about 100 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFigures:
    """One engine: seconds until it had said the text for the first time, starting included, and when asked again;
    `seconds` of speech, `speed` of them per second of work. `problem` when it does not work."""

    engine: str
    first: float
    took: float
    seconds: float
    speed: float
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFigures:
    """One format of a broadcast whose words were spoken: ms to make it, ms to get it when the alert is issued again,
    octets, seconds it plays."""

    sound: str
    made_ms: float
    again_ms: float
    octets: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A run of the bench."""

    engines: tuple[EngineFigures, ...]
    sounds: tuple[SoundFigures, ...]


async def bench_speech(studio: Studio) -> Figures:
    """Measure `studio`, which has made nothing yet."""
    cold = await studio.examine(WORDS)
    warm = await studio.examine(WORDS)
    engines = tuple(
        EngineFigures(
            engine=again.engine,
            first=first.took,
            took=again.took,
            seconds=again.seconds,
            speed=again.seconds / again.took if again.took else 0.0,
            problem=again.problem,
        )
        for first, again in zip(cold, warm, strict=True)
    )
    await studio.build(WARNING, Medium.VOICE, colour="", sound=Sound.PCM)  # the words are spoken and kept
    return Figures(engines=engines, sounds=tuple([await _sound(studio, sound) for sound in Sound]))


async def _sound(studio: Studio, sound: Sound) -> SoundFigures:
    started = time.perf_counter()
    audio = await studio.build(WARNING, Medium.LOUDSPEAKER, colour="red", repeats=3, sound=sound)
    made = time.perf_counter()
    await studio.build(WARNING, Medium.LOUDSPEAKER, colour="red", repeats=3, sound=sound)
    again = time.perf_counter()
    return SoundFigures(
        sound=sound.value,
        made_ms=1000 * (made - started),
        again_ms=1000 * (again - made),
        octets=audio.path.stat().st_size,
        seconds=audio.seconds,
    )


def table(figures: Figures) -> str:
    """The run as two Markdown tables."""
    engines = [
        "| engine | first text | text again | speech | seconds of speech per second |",
        "|---|---|---|---|---|",
        *map(_engine, figures.engines),
    ]
    return "\n".join([*engines, "", *_sounds(figures.sounds)])


def _engine(one: EngineFigures) -> str:
    if one.problem:
        return f"| {one.engine} | {one.problem} | | | |"
    return f"| {one.engine} | {one.first:.2f} s | {one.took:.2f} s | {one.seconds:.1f} s | {one.speed:,.0f} |"


def _sounds(sounds: Sequence[SoundFigures]) -> list[str]:
    return [
        "| format | broadcast | file | made | issued again |",
        "|---|---|---|---|---|",
        *(
            f"| {one.sound} | {one.seconds:.1f} s | {one.octets / 1000:,.0f} kB | {one.made_ms:.0f} ms "
            f"| {one.again_ms:.1f} ms |"
            for one in sounds
        ),
    ]
