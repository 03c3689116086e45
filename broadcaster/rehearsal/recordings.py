"""Audio files as the terminals hear them: does it decode, is there sound in it, is it as long as was said."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from broadcaster.rehearsal.logbook import Heard
from broadcaster.rehearsal.sound import SoundError, listen
from channels.line.wire import Upload

TOLERANCE = 0.25
"""Seconds by which an encoder may lengthen or shorten a file."""

DECODERS = 2
"""Files that are decoded at the same time."""


KEPT = 4
"""Files that are kept to compare others with."""


class Verdict(NamedTuple):
    """The real length in seconds, or what is wrong."""

    seconds: float
    problem: str


class Recordings:
    """Every audio file that was uploaded, checked once."""

    def __init__(self, heard: Callable[[Heard], None]) -> None:
        self._heard = heard
        self._verdicts: dict[str, asyncio.Task[Verdict]] = {}
        self._fetched: deque[tuple[str, bytes]] = deque(maxlen=KEPT)
        self._turns = asyncio.Semaphore(DECODERS)

    def add(self, pieces: list[Upload]) -> None:
        """A file has arrived whole, in `pieces`."""
        first = pieces[0]
        if first.sha256 not in self._verdicts:
            content = b"".join(piece.data for piece in pieces)
            self._verdicts[first.sha256] = asyncio.create_task(self._check(first.sha256, first.seconds, content))

    def fetched(self, content: bytes) -> tuple[str, asyncio.Future[Verdict]]:
        """A file that a terminal has fetched itself, without having been told what to expect: its SHA-256, and the
        verdict, for which it has to be decoded."""
        for sha256, known in self._fetched:
            if known == content:  # mostly the very object that `known` gave
                return sha256, self._verdicts[sha256]
        sha256 = hashlib.sha256(content).hexdigest()
        self._fetched.appendleft((sha256, content))
        if sha256 not in self._verdicts:
            self._verdicts[sha256] = asyncio.create_task(self._check(sha256, None, content))
        return sha256, self._verdicts[sha256]

    def found(self, sha256: str) -> asyncio.Future[Verdict] | None:
        """The verdict on a file that somebody has fetched."""
        return self._verdicts.get(sha256)

    def known(self) -> list[bytes]:
        """What terminals fetched of late."""
        return [content for _, content in self._fetched]

    async def verdict(self, sha256: str) -> Verdict | None:
        """What the terminal makes of the file; None when there is no such file."""
        check = self._verdicts.get(sha256)
        return await asyncio.shield(check) if check is not None else None

    def stop(self) -> None:
        for check in self._verdicts.values():
            check.cancel()

    async def _check(self, sha256: str, announced: float | None, content: bytes) -> Verdict:
        async with self._turns:
            verdict = await _examine(sha256, announced, content)
        self._heard(Heard(time.time(), sha256, verdict.seconds, verdict.problem))
        return verdict


async def _examine(sha256: str, announced: float | None, content: bytes) -> Verdict:
    if hashlib.sha256(content).hexdigest() != sha256:
        return Verdict(0.0, "音频文件校验和不符")
    try:
        sound = await listen(content)
    except SoundError:
        return Verdict(0.0, "音频文件无法解码")
    if announced is not None and abs(sound.seconds - announced) > TOLERANCE:
        return Verdict(sound.seconds, f"音频时长不符：应为 {announced:.1f} 秒，实为 {sound.seconds:.1f} 秒")
    if sound.peak < 0.01:
        return Verdict(sound.seconds, "音频没有声音")
    return Verdict(sound.seconds, "")
