"""The rehearsal as a peer of the contract kit."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from broadcaster.ports import Audio, Medium, Message
from broadcaster.rehearsal.oracle import read_report
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Faults
from broadcaster.testing import Mood

_numbers = count(1)

WILLING = Behaviour(answer=Delay(), receipt=Delay(median=0.01), redeliver_after=0.2)
MOODS: dict[Mood, dict[str, object]] = {
    Mood.WILLING: {"answer": Delay(), "busy": 0, "faults": Faults()},
    Mood.SLOW: {"answer": Delay(median=0.2)},
    Mood.THROTTLING: {"busy": 1},
    Mood.CUTTING: {"faults": Faults(cut=1, cut_taken=1)},
    Mood.SILENT: {"faults": Faults(half_open=1)},
    Mood.BABBLING: {"faults": Faults(garbage=1)},
}
BAD = {
    Medium.SMS: "none",
    Medium.VOICE: "12",
    Medium.WECHAT: "?",
    Medium.EMAIL: "nobody.example.com",
    Medium.LOUDSPEAKER: "the one by the pond",
}


class RehearsalPeer:
    """One channel of a running rehearsal, with an account of its own."""

    def __init__(self, rehearsal: RehearsalProcess, channel: Medium, audio: Audio) -> None:
        self._rehearsal = rehearsal
        self._channel = channel
        name = f"{channel.value}-{next(_numbers)}"
        self.gateway = rehearsal.gateway(
            channel, rate=1000, name=name, window=200, answer_timeout=2, heartbeat=0.5, connect_timeout=2
        )
        self.nowhere = replace(self.gateway, options={**self.gateway.options, "address": f"unix:{rehearsal.log}.none"})
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message(
            "【演练】台风红色预警，请立即转移。",
            subject="台风红色预警",
            html="<p>请立即转移</p>",
            fields={"first": "台风红色预警", "keyword1": "台风"} if channel is Medium.WECHAT else {},
            audio=audio if channel in (Medium.VOICE, Medium.LOUDSPEAKER) else None,
        )
        self.bad_address = BAD[channel]

    def addresses(self, count: int) -> Sequence[str]:
        match self._channel:
            case Medium.SMS | Medium.VOICE:
                return [f"139{number:08d}" for number in range(count)]
            case Medium.EMAIL:
                return [f"resident{number}@example.org" for number in range(count)]
            case _:
                return [f"address-{number:05d}" for number in range(count)]

    async def play(self, mood: Mood) -> None:
        await self._rehearsal.client.behave(self._channel, **MOODS[mood])

    async def taken(self) -> Sequence[str]:
        taken = read_report(self._rehearsal.log).taken
        return [f"{one.alert}-{one.ordinal}-{one.attempt}" for one in taken if one.account == self.gateway.name]

    async def unacknowledged(self) -> int:
        counts = (await self._rehearsal.client.stats())[self.gateway.name]
        return counts.receipts_waiting + counts.replies_waiting

    async def say(self, address: str, text: str) -> str:
        return await self._rehearsal.client.say(self.gateway.name, address, text)

    async def hang_up(self) -> None:
        await self._rehearsal.client.cut(self.gateway.name)


def tone(folder: Path, seconds: float = 0.5, *, level: float = 0.5) -> Audio:
    """A real sound file."""
    samples = [int(32767 * level * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(int(8000 * seconds))]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    path = folder / f"tone-{seconds}-{level}.wav"
    path.write_bytes(buffer.getvalue())
    return Audio(path, "audio/wav", seconds, sha256(buffer.getvalue()).hexdigest())
