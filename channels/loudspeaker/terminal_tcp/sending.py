"""One `send`: every envelope's order to its terminal, and the outcomes as the answers come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from broadcaster.ports import Audio, Deferred, Envelope, Journal, Outcome, Rejected
from channels.loudspeaker.files import MP3, FileServer
from channels.loudspeaker.terminal_tcp.control import OFFLINE, Control

RETRY_AFTER = 1.0


class Sending:
    """Terminals are independent of each other: all are asked at once."""

    def __init__(self, control: Control, files: FileServer, digits: int, journal: Journal) -> None:
        self._control = control
        self._files = files
        self._digits = digits
        self._journal = journal
        self._outcomes: list[Outcome] = []
        self._changed = asyncio.Event()

    async def run(self, batch: Sequence[Envelope]) -> AsyncIterator[list[Outcome]]:
        """Outcomes in the bunches in which they came, until each envelope has one."""
        places = await self._places(batch)
        for envelope in batch:
            self._begin(envelope, places)
        if batch:
            self._journal.note("→", f"play on {len(batch)} terminals")
        settled = offline = 0
        while settled < len(batch):
            if not self._outcomes:
                self._changed.clear()
                await self._changed.wait()
            outcomes, self._outcomes = self._outcomes, []
            settled += len(outcomes)
            offline += sum(isinstance(one, Rejected) and one.reason == OFFLINE for one in outcomes)
            yield outcomes
        if offline:
            self._journal.note("!", f"{offline} of {len(batch)} terminals are off line")

    def _begin(self, envelope: Envelope, places: dict[str, str]) -> None:
        audio, code = envelope.message.audio, envelope.address
        if audio is None:
            self._settle(Rejected(envelope.key, "没有音频"))
        elif audio.media_type != MP3:
            self._settle(Rejected(envelope.key, f"终端只播 MP3，不播 {audio.media_type}"))
        elif audio.sha256 not in places:
            self._settle(Rejected(envelope.key, "音频文件读不出"))
        elif len(code) != self._digits or not code.isdecimal():
            self._settle(Rejected(envelope.key, f"终端地址不是 {self._digits} 位资源编码"))
        else:
            self._control.play(envelope, audio, places[audio.sha256], self._settle)

    def _settle(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._changed.set()

    async def _places(self, batch: Sequence[Envelope]) -> dict[str, str]:
        """Where each sound can be fetched, by its SHA-256; without those that cannot be read."""
        found: dict[str, str] = {}
        sounds: dict[str, Audio] = {
            one.message.audio.sha256: one.message.audio for one in batch if one.message.audio is not None
        }
        for sha256, audio in sounds.items():
            try:
                found[sha256] = await self._files.offer(audio)
            except OSError as problem:
                self._journal.note("!", f"a sound file cannot be read: {problem.strerror or type(problem).__name__}")
        return found


def not_connected(batch: Sequence[Envelope]) -> list[Outcome]:
    """Nothing was sent."""
    return [Deferred(envelope.key, "not connected", RETRY_AFTER) for envelope in batch]
