"""The rehearsal as a peer of the contract kit."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from broadcaster.ports import Audio, Medium, Message
from broadcaster.rehearsal.oracle import read_report
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Faults
from broadcaster.testing import Mood, NotPromised
from channels.speech.ffmpeg import run
from tests.contract.wechat_peer import MESSAGE
from tests.harness.ports import free_port

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

GROUPS = 80
ROBOTS = 1000 * GROUPS
ROBOT_KEY = "693a91f6-7aoc-4bc4-97a0-{:012}"
ADDRESSES = {"official": "oDaohuRehearsal{:013}", "wecom": "wecom:member{}", "robot": "group:g{}"}
UNKNOWN = {"official": "xStranger000000000000000000x", "wecom": "wecom:nobody1", "robot": "group:nowhere"}
"""Addresses on WeChat's platforms, and those that no platform knows."""

NOBODY = {Medium.SMS: "12", Medium.VOICE: "12", Medium.EMAIL: "nobody@-example.org"}
"""Addresses that fit into a protocol's field and lead nowhere."""


class RehearsalPeer:
    """One channel of a running rehearsal, with an account of its own."""

    def __init__(self, rehearsal: RehearsalProcess, channel: Medium, audio: Audio) -> None:
        self._rehearsal = rehearsal
        self._channel = channel
        self._account = name = f"{channel.value}-{next(_numbers)}"
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
        return [
            f"{one.alert}-{one.ordinal}-{one.attempt}" if one.alert else ""
            for one in taken
            if one.account == self._account
        ]

    async def unacknowledged(self) -> int | None:
        counts = (await self._rehearsal.client.stats())[self._account]
        return counts.receipts_waiting + counts.replies_waiting

    async def say(self, address: str, text: str) -> str:
        return await self._rehearsal.client.say(self._account, address, text)

    async def hang_up(self) -> None:
        await self._rehearsal.client.cut(self._account)


class FrontPeer(RehearsalPeer):
    """A front of a running rehearsal that speaks a driver's own protocol."""

    def __init__(
        self, rehearsal: RehearsalProcess, channel: Medium, driver: str, options: Mapping[str, object]
    ) -> None:
        self._rehearsal = rehearsal
        self._channel = channel
        self._account = f"a{next(_numbers)}"
        made = rehearsal.gateway(channel, rate=1000, name=self._account, driver=driver)
        signing_in = {"user": self._account, "password": "any"}
        self.gateway = replace(made, options={**made.options, **signing_in, **options})
        self.nowhere = replace(self.gateway, options={**self.gateway.options, "port": free_port()})
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message("【演练】台风红色预警，请立即转移。", subject="台风红色预警", html="<p>请立即转移</p>")
        self.bad_address = NOBODY[channel]

    async def say(self, address: str, text: str) -> str:
        said = await super().say(address, text)
        return said if self.gateway.driver == "cmpp" else ""


class TerminalsPeer(RehearsalPeer):
    """Terminals that dial in to the driver."""

    def __init__(self, rehearsal: RehearsalProcess, codes: Sequence[str], audio: Audio) -> None:
        self._rehearsal = rehearsal
        self._channel = Medium.LOUDSPEAKER
        self._account = "terminals"
        self._codes = codes
        made = rehearsal.gateway(self._channel, rate=1000, name="terminals", driver="terminal_tcp")
        ours = {"window": len(codes) // 2 - 1, "reconnect": 10.0, "answer_timeout": 4.0, **audio_port()}
        self.gateway = replace(made, options={**made.options, **ours})
        self.nowhere = replace(self.gateway, options={**self.gateway.options, "listen": "192.0.2.1:7089"})
        self.moods = frozenset(Mood)
        self.patience = 30.0
        self.message = Message("【演练】台风红色预警，请立即转移。", audio=audio)
        self.bad_address = codes[0][:-1]

    def addresses(self, count: int) -> Sequence[str]:
        return self._codes[:count]


def audio_port() -> dict[str, object]:
    """Options of a gateway whose terminals fetch what they play on this machine."""
    port = free_port()
    return {"audio_listen": f"127.0.0.1:{port}", "audio_url": f"http://127.0.0.1:{port}"}


def terminal_codes(count: int) -> list[str]:
    """Resource codes of so many terminals."""
    return [f"634152300{number:06d}03140101" for number in range(1, count + 1)]


def mp3(folder: Path, seconds: float = 0.5) -> Audio:
    """A real MP3."""
    path = folder / f"tone-{seconds}.mp3"
    wave = tone(folder, seconds).path.read_bytes()
    path.write_bytes(
        run(("-i", "pipe:0", "-c:a", "libmp3lame", "-b:a", "48k", "-f", "mp3", "pipe:1"), wave, timeout=60)
    )
    return Audio(path, "audio/mpeg", seconds, sha256(path.read_bytes()).hexdigest())


class PlatformPeer(RehearsalPeer):
    """One of WeChat's platforms, with an account (robots: groups) of its own."""

    def __init__(self, rehearsal: RehearsalProcess, driver: str) -> None:
        self._rehearsal = rehearsal
        self._channel = Medium.WECHAT
        self._driver = driver
        self._number = next(_numbers)
        self._account, own = self._own()
        made = rehearsal.gateway(Medium.WECHAT, rate=1000, name=f"{driver}-{self._number}", driver=driver)
        waits = {"connect_timeout": 5.0, "answer_timeout": 2.0}
        self.gateway = replace(made, options={**made.options, **own, **waits})
        elsewhere = {"endpoint": f"http://127.0.0.1:{free_port()}"}
        self.nowhere = replace(self.gateway, options={**self.gateway.options, **elsewhere})
        self.moods = frozenset(Mood)
        self.patience = 30.0
        self.message = MESSAGE
        self.bad_address = UNKNOWN[driver]

    def _own(self) -> tuple[str, dict[str, object]]:
        """The account, and the options that choose it."""
        match self._driver:
            case "official":
                appid = f"wx{self._number:016x}"
                return appid, {"appid": appid}
            case "wecom":
                corpid = f"ww{self._number:016x}"
                return corpid, {"corpid": corpid}
        first = self._number * GROUPS
        return "robots", {"groups": {f"g{number}": ROBOT_KEY.format(number) for number in range(first, first + GROUPS)}}

    def addresses(self, count: int) -> Sequence[str]:
        start = self._number * GROUPS if self._driver == "robot" else 0
        return [ADDRESSES[self._driver].format(start + number) for number in range(count)]

    async def taken(self) -> Sequence[str]:
        mine = set(self.addresses(GROUPS)) if self._driver == "robot" else None
        return [
            f"{one.alert}-{one.ordinal}-{one.attempt}" if one.alert else ""
            for one in read_report(self._rehearsal.log).taken
            if one.account == self._account and (mine is None or one.address in mine)
        ]

    async def call_back(self, address: str) -> None:
        await self._rehearsal.client.call_back(self._driver, self._account, address)

    async def dismiss(self) -> None:
        """Nobody listens any more: what is still owed is not to be brought for ever."""
        if self._driver != "robot":
            await self.call_back("")


class ExchangePeer(FrontPeer):
    """The rehearsal's exchange: its account is the number that calls."""

    def __init__(self, rehearsal: RehearsalProcess, options: Mapping[str, object], audio: Audio) -> None:
        caller = f"0574{next(_numbers):07d}"
        super().__init__(rehearsal, Medium.VOICE, "sip", {**options, "caller": caller, "user": "", "password": ""})
        self._account = caller
        self.patience = 30.0
        self.message = Message("【演练】台风红色预警，请立即转移。", audio=audio)

    async def unacknowledged(self) -> int | None:
        return None

    async def say(self, address: str, text: str) -> str:
        raise NotPromised("nobody says anything but during a call")


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


class LowerPlatformPeer(RehearsalPeer):
    """A lower emergency broadcast platform that a running rehearsal plays; every peer comes in the name of another
    upper platform."""

    def __init__(self, rehearsal: RehearsalProcess, audio: Audio, options: Mapping[str, object]) -> None:
        self._rehearsal = rehearsal
        self._channel = Medium.LOUDSPEAKER
        made = rehearsal.gateway(Medium.LOUDSPEAKER, rate=1000, name=f"ebd-{next(_numbers)}", driver="ebd")
        source = str(made.options["source"])
        self._account = f"{source[:-4]}{next(_numbers):04d}"
        self._older = len(source) == 18
        self.gateway = replace(made, options={**made.options, "source": self._account, **options})
        dead = {"endpoint": f"http://127.0.0.1:{free_port()}/"}
        self.nowhere = replace(self.gateway, options={**self.gateway.options, **dead})
        self.moods = frozenset(Mood)
        self.patience = 60.0
        self.message = Message("【演练】台风红色预警，请立即转移。", audio=audio)
        self.bad_address = "433021200000003140103"

    def addresses(self, count: int) -> Sequence[str]:
        form = "03143302120010{:04d}" if self._older else "5330212001000031401{:04d}"
        return [form.format(number) for number in range(count)]

    async def hang_up(self) -> None:
        await self._rehearsal.client.behave(self._channel, faults=Faults(hang=1))
        await self._rehearsal.client.cut(self._account)

    async def call_back(self, address: str) -> None:
        await self._rehearsal.client.call_back("ebd", self._account, address)

    async def forget(self) -> None:
        """Have nothing more brought: whoever comes next is not to wait for reports that nobody takes."""
        await self._rehearsal.client.call_back("ebd", self._account, "")
