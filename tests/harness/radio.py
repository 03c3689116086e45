"""What listens to RTP: a socket that keeps packets, and ffmpeg, which nobody here wrote."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from imageio_ffmpeg import get_ffmpeg_exe

from broadcaster.ports import Audio
from channels.speech.ffmpeg import run

IP_RECVTTL = 12
"""Linux's; Python has no name for it."""


class Packet(NamedTuple):
    """One of RTP, with what the IP packet said of its class and its hops (0: not asked for)."""

    marker: bool
    type: int
    sequence: int
    time: int
    source: int
    payload: bytes
    tos: int = 0
    ttl: int = 0


def parsed(data: bytes, tos: int = 0, ttl: int = 0) -> Packet:
    first, second, sequence, time, source = struct.unpack_from(">BBHII", data)
    assert first == 0x80
    return Packet(second >= 128, second & 127, sequence, time, source, data[12:], tos, ttl)


class Ear:
    """Keeps the packets that come to a port of this machine, or to a group."""

    def __init__(self, group: str = "") -> None:
        self.packets: list[Packet] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((group or "127.0.0.1", 0))
        for option in (socket.IP_RECVTOS, IP_RECVTTL):
            self._socket.setsockopt(socket.IPPROTO_IP, option, 1)
        if group:
            member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        self.address = f"{group or '127.0.0.1'}:{self._socket.getsockname()[1]}"
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def heard(self) -> bytes:
        return b"".join(packet.payload for packet in self.packets)

    def _hear(self) -> None:
        data, more, _, _ = self._socket.recvmsg(2048, 256)
        said = {kind: int.from_bytes(value[:4], "little") for _, kind, value in more}
        self.packets.append(parsed(data, said.get(socket.IP_TOS, 0), said.get(socket.IP_TTL, 0)))


def chirp(folder: Path, seconds: float = 3.0) -> Audio:
    """An MP3 of which no two parts sound the same."""
    path = folder / f"chirp-{seconds}.mp3"
    source = f"aevalsrc=0.4*sin(2*PI*(250+120*t)*t):s=22050:d={seconds}"
    path.write_bytes(run(("-f", "lavfi", "-i", source, "-c:a", "libmp3lame", "-f", "mp3", "pipe:1"), b"", timeout=60))
    return Audio(path, "audio/mpeg", seconds, sha256(path.read_bytes()).hexdigest())


def pcm(content: bytes, *source: str) -> list[int]:
    """What ffmpeg makes of a sound: samples of 16 bits at 8,000 a second."""
    raw = run((*source, "-i", "pipe:0", "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1"), content, timeout=60)
    return list(struct.unpack(f"<{len(raw) // 2}h", raw))


async def received(folder: Path, port: int, payload_type: int, seconds: float) -> asyncio.subprocess.Process:
    """ffmpeg, listening for RTP on a port of this machine; it writes so many seconds of samples to standard output."""
    description = folder / f"{port}.sdp"
    description.write_text(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP {payload_type}\n"
    )
    return await asyncio.create_subprocess_exec(
        get_ffmpeg_exe(), "-v", "error", "-protocol_whitelist", "file,udp,rtp", "-analyzeduration", "0",
        "-probesize", "32", "-i", str(description), "-t", str(seconds), "-f", "s16le", "-ar", "8000", "-ac", "1",
        "pipe:1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def likeness(heard: list[int], meant: list[int]) -> float:
    """How much the two are alike where they fit best, 1.0: the same. `heard` may begin later, or after a silence."""
    piece = meant[len(meant) // 3 : len(meant) // 2]
    best = 0.0
    energy = math.sqrt(sum(one * one for one in piece))
    coarse = piece[::8]
    around = [
        (sum(a * b for a, b in zip(heard[at : at + len(piece) : 8], coarse, strict=False)), at)
        for at in range(0, max(1, len(heard) - len(piece)), 1)
    ]
    for _, at in sorted(around, reverse=True)[:5]:
        window = heard[at : at + len(piece)]
        loud = math.sqrt(sum(one * one for one in window)) or 1.0
        best = max(best, sum(a * b for a, b in zip(window, piece, strict=False)) / (energy * loud))
    return best
