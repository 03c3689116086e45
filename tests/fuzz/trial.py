"""A decoder on trial: whatever it is given, it understands or refuses, with little work and little memory."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

from tests.fuzz.mutation import mutate

SHORT = 5_000
LONG = 1_000_000
"""Frames of the run that everybody does, and of the one that takes long."""

OFTEN, SELDOM = 5, 20
"""Of how many frames of the short run, and of the long one, one is weighed: tracing what a decoder does takes many
times as long as doing it."""

BLOCK = 2_000
"""Frames that are made before they are tried: what making them takes is not the decoder's."""

SHOWN = 400
"""Octets of a frame in a message; seed and number make the whole of it again."""

KEPT_OCTETS, KEPT_OBJECTS = 128 * 1024, 10_000
"""What a decoder may still hold of a block of frames, and of a whole run: whatever it remembers on purpose, and what
the interpreter keeps for later use."""


@dataclass(frozen=True, slots=True)
class Bound:
    """At the most `base`, and `each` more for every octet of the input."""

    base: int
    each: int

    def of(self, octets: int) -> int:
        return self.base + self.each * octets


@dataclass(frozen=True, slots=True)
class Decoder:
    """What is tried: octets in; a value, or one of `refusals`, out.

    `examples` are right and must be understood. `mend` puts right in a damaged frame what would have it refused at
    once (a length, a checksum, a signature); every second frame is mended, so that the damage behind it is reached.
    `steps` bounds lines of Python, `memory` octets at the peak of one frame, `kept` octets that a block leaves behind.
    """

    name: str
    decode: Callable[[bytes], object]
    examples: Sequence[bytes]
    refusals: tuple[type[Exception], ...] = ()
    mend: Callable[[bytes], bytes] | None = None
    tokens: Sequence[bytes] = ()
    longest: int = 4096
    steps: Bound = Bound(1_000, 20)
    memory: Bound = Bound(64 * 1024, 64)
    kept: int = KEPT_OCTETS

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Tally:
    """How a run went; `most_steps` and `most_memory` of any one frame."""

    decoder: str
    frames: int = 0
    refused: int = 0
    understood: int = 0
    most_steps: int = 0
    most_memory: int = 0


class Overworked(BaseException):
    """More lines than the bound: no decoder's own `except` may swallow it."""


class _Steps:
    """Runs a call, counts its lines of Python, and stops it when they are more than `limit`."""

    def __init__(self) -> None:
        self.count = 0

    def run(self, decode: Callable[[bytes], object], frame: bytes, limit: int) -> None:
        count, before = 0, sys.gettrace()

        def line(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal count
            count += 1
            if count > limit:
                raise Overworked
            return line

        sys.settrace(line)
        try:
            decode(frame)
        finally:
            sys.settrace(before)
            self.count = count


def trial(decoder: Decoder, frames: int, seed: int, weighed: int = 1) -> Tally:
    """Try `frames` damaged examples; AssertionError shows the first that is neither understood nor refused, or costs
    too much. What it costs, and what it leaves behind, is looked at for one frame in `weighed`: counting a decoder's
    lines takes fifty times as long as it does."""
    for example in decoder.examples:
        decoder.decode(example)
    tally, at_first = Tally(decoder.name), sys.getallocatedblocks()
    mutants = mutate(decoder.examples, seed=seed, longest=decoder.longest, tokens=decoder.tokens)
    while tally.frames < frames:
        block = list(islice(mutants, min(BLOCK, frames - tally.frames)))
        some = -(-len(block) // weighed)
        octets = _weighed(decoder, block[:some], tally, seed)
        for mutant in block[some:]:
            _try(decoder, _mended(decoder, mutant, tally), tally, seed)
        del block
        gc.collect()  # what counts the lines refers to itself, each time
        objects = sys.getallocatedblocks() - at_first
        kept = f"{octets} octets and {objects} objects are still held after {tally.frames} frames (seed {seed})"
        assert octets < decoder.kept, f"{decoder}: {kept}"
        assert objects < KEPT_OBJECTS, f"{decoder}: {kept}"
    assert tally.understood, f"{decoder}: not one of {frames} frames was understood: nothing behind its door was tried"
    return tally


def _weighed(decoder: Decoder, block: Sequence[bytes], tally: Tally, seed: int) -> int:
    """Try a block, and weigh each of its frames; octets that are still held of all of them."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for mutant in block:
            _weigh(decoder, _mended(decoder, mutant, tally), tally, seed)
        gc.collect()  # what only waits to be collected is not held: a process may have been told to collect rarely
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def _weigh(decoder: Decoder, frame: bytes, tally: Tally, seed: int) -> None:
    """Try a frame, and bound its lines and its memory. One that takes too much takes it a second time as well: now and
    then the interpreter enlarges a table of its own in the midst of a frame."""
    steps = _Steps()
    which = f"seed {seed}, frame {tally.frames}"
    memory = _peak(lambda: _try(decoder, frame, tally, seed, steps))
    limit = decoder.memory.of(len(frame))
    if memory > limit:
        memory = _peak(lambda: _try(decoder, frame, Tally(decoder.name), seed))
    assert memory <= limit, f"{decoder}, {which}: {memory} octets of memory, more than {limit}, on {_shown(frame)}"
    tally.most_steps = max(tally.most_steps, steps.count)
    tally.most_memory = max(tally.most_memory, memory)


def _peak(work: Callable[[], object]) -> int:
    """Octets that `work` holds at its height, above what was held before."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    work()
    return tracemalloc.get_traced_memory()[1] - before


def _try(decoder: Decoder, frame: bytes, tally: Tally, seed: int, steps: _Steps | None = None) -> None:
    """Have a frame decoded, within its bound of lines where they are counted."""
    which = f"seed {seed}, frame {tally.frames}"
    tally.frames += 1
    try:
        if steps is None:
            decoder.decode(frame)
        else:
            steps.run(decoder.decode, frame, decoder.steps.of(len(frame)))
        tally.understood += 1
    except decoder.refusals:
        tally.refused += 1
    except Overworked:
        limit = decoder.steps.of(len(frame))
        raise AssertionError(f"{decoder}, {which}: more than {limit} lines of work on {_shown(frame)}") from None
    except Exception as problem:
        raise AssertionError(f"{decoder}, {which}: {problem!r} on {_shown(frame)}") from problem


def _mended(decoder: Decoder, frame: bytes, tally: Tally) -> bytes:
    """The next frame as it will be tried: every second one is mended."""
    return decoder.mend(frame) if decoder.mend is not None and tally.frames % 2 else frame


def _shown(frame: bytes) -> str:
    rest = f" … {len(frame)} octets" if len(frame) > SHOWN else ""
    return frame[:SHOWN].hex() + rest
