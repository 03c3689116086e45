"""Whatever a terminal, a stream server or a camera sends, or somebody in its place: it is understood or refused, at
little cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from broadcaster.rehearsal.fronts import terminal_frames
from channels.loudspeaker.files import FileServer, Served
from channels.loudspeaker.live.answer import NonsenseError, parse
from channels.loudspeaker.onvif.description import backchannel, joined
from channels.loudspeaker.onvif.proof import Proof
from channels.loudspeaker.onvif.session import read_said
from channels.loudspeaker.terminal_tcp.checksum import checksum
from channels.loudspeaker.terminal_tcp.dialect import Dialect, WireError, packed
from channels.loudspeaker.terminal_tcp.reports import answer, report
from channels.loudspeaker.terminal_tcp.terminal import Line
from channels.loudspeaker.terminal_tcp.wire import Frame, Layout
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SELDOM, SHORT, Bound, Decoder

PLATFORM, TERMINAL = "43415230000000103010101", "63415230000000314010401"
Make: TypeAlias = Callable[[], Awaitable[Decoder]]


def frames(layout: Layout) -> list[bytes]:
    """What terminals say, right."""
    digits = layout.dialect.digits
    terminal, platform = TERMINAL[:digits], PLATFORM[:digits]
    message = packed(f"{platform}202611270007")
    bodies = {
        0x10: terminal_frames.heartbeat(first=True),
        0x13: b"\1\3" + "功放故障".encode("gb18030").ljust(255, b"\0") + bytes(4),
        0x14: b"\1\1" + message + bytes(4),
        0x15: message + b"\1\0\4good" + bytes(4) + bytes(4) + b"\1" + bytes(4),
        0x16: b"a record",
    }
    said = [Frame(7, False, terminal, (platform,), kind, body) for kind, body in bodies.items()]
    said.append(Frame(7, True, terminal, (platform, platform), 0x01, terminal_frames.answered(3, "正忙")))
    return [layout.write(frame) for frame in said]


def mended(layout: Layout) -> Callable[[bytes], bytes]:
    """Length and checksum put right, so that the damage between them is reached."""

    def mend(frame: bytes) -> bytes:
        content = frame[:-4].ljust(layout.head, b"\0")
        content = content[: layout.head - 2] + (len(content) + 4).to_bytes(4)[-2:] + content[layout.head :]
        return content + checksum(content).to_bytes(4)

    return mend


def understood(layout: Layout, data: bytes) -> object:
    """A whole frame, to the last field of its body."""
    frame = layout.read(data)
    return answer(frame.body) if frame.answer else report(frame.kind, frame.body, layout.dialect)


def terminal(name: str, dialect: Dialect) -> Decoder:
    layout = Layout(dialect)

    def decode(data: bytes) -> object:
        if len(data) < layout.head or layout.size(data, 0) != len(data):
            raise WireError("another length")
        return understood(layout, data)

    return Decoder(name, decode, frames(layout), (WireError,), mend=mended(layout))


async def terminal_2018() -> Decoder:
    return terminal("terminal 2018", Dialect())


async def terminal_2019() -> Decoder:
    return terminal("terminal 2019", Dialect(sign_flag=True, local_time=True))


async def terminal_18() -> Decoder:
    return terminal("terminal 18 digits", Dialect(digits=18))


class Still:
    """A loop in which nothing happens later."""

    def time(self) -> float:
        return 0.0

    def call_later(self, *_: object) -> None:
        """Not here."""

    def call_soon(self, *_: object) -> None:
        """Not here."""


STILL: Any = Still()


class Everybody:
    """Lets everybody in, and understands what he says."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.heard = 0

    def arrived(self, line: Line) -> bool:
        return True

    def said(self, line: Line, frame: Frame) -> None:
        self.heard += 1
        if not frame.answer:
            report(frame.kind, frame.body, self._layout.dialect)

    def left(self, line: Line, reason: str) -> None:
        """Whoever is gone is gone."""

    def disconnected(self, line: Line) -> None:
        """There is no socket."""


async def stream() -> Decoder:
    """Many frames in one piece of the stream, and pieces of frames."""
    layout = Layout(Dialect())
    one = frames(layout)
    host = Everybody(layout)

    def hear(octets: bytes) -> int:
        line, middle = Line(layout, 60, host), len(octets) // 2
        line._loop = STILL
        line.data_received(octets[:middle])
        line.data_received(octets[middle:])
        if line.ended.done():
            raise WireError(line.ended.result())
        return host.heard

    return Decoder("terminal stream", hear, [*one, b"".join(one)], (WireError,))


class Sink(asyncio.Transport):
    """Takes what is written, and counts it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def write(self, data: Any) -> None:
        self.written += len(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def close(self) -> None:
        """Nothing is open."""

    def abort(self) -> None:
        """Nothing is open."""


async def file_requests() -> Decoder:
    """What comes to the server of the sounds."""
    server = FileServer("127.0.0.1", 0, "http://127.0.0.1")
    server._files["/name.mp3"] = Served(b"sound" * 100, "audio/mpeg")

    def ask(octets: bytes) -> int:
        one, sink = server._visit(), Sink()
        one._loop = STILL
        one.connection_made(sink)
        one.data_received(octets)
        one.connection_lost(None)
        return sink.written

    get = b"GET /name.mp3 HTTP/1.1\r\nHost: here\r\nRange: bytes=10-20\r\n\r\n"
    examples = [get, get + b"HEAD /x HTTP/1.0\r\n\r\n", b"GET /name.mp3?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n"]
    return Decoder("sound requests", ask, examples, tokens=[b"Range: bytes=9-\r\n", b"\r\n\r\n"])


def run(work: Coroutine[Any, Any, object]) -> object:
    """The result of what needs to wait for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise AssertionError("it waits for more, although there is no more")


HEAD = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 12;timeout=60\r\nContent-Length: 5\r\n\r\n"
HTTP = b'HTTP/1.0 401 Authentication Required\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=control:trackID=0\r\n"
    b"m=audio 0 RTP/AVP 0 8 97\r\na=rtpmap:97 PCMA/8000\r\na=control:trackID=2\r\na=sendonly\r\n"
)
CHALLENGE = b'Digest realm="a b", nonce="0123", qop="auth,auth-int", algorithm=MD5, opaque="x"\nBasic realm="y"'


async def rtsp() -> Decoder:
    def hear(octets: bytes) -> object:
        reader = asyncio.StreamReader(limit=16 * 1024)
        reader.feed_data(octets)
        reader.feed_eof()
        return run(read_said(reader))

    examples = [
        HEAD + b"hello",
        b"$\0\0\4abcd",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        HEAD.replace(b"200", b"551") + b"hello",
    ]
    return Decoder("rtsp", hear, examples, (ConnectionError,), tokens=[b"$\0\1\0", b"Content-Length: 9999999\r\n"])


async def http_answer() -> Decoder:
    def read(octets: bytes) -> object:
        found = parse(octets)
        return found.length, found

    return Decoder("stream server", read, [HTTP, HEAD], (NonsenseError,), tokens=[b"\r\n", b": "])


async def sdp() -> Decoder:
    def read(octets: bytes) -> object:
        found = backchannel(octets)
        return joined("rtsp://h/a", found.control) if found is not None else None

    return Decoder(
        "camera description", read, [SDP], (NonsenseError,), tokens=[b"a=sendonly\r\n", b"m=audio 0 x 0\r\n"]
    )


async def challenge() -> Decoder:
    def prove(octets: bytes) -> object:
        proof = Proof(octets.decode("latin-1"), "user", "word")
        return proof.header("DESCRIBE", "rtsp://h/x") if proof.possible else None

    return Decoder("camera challenge", prove, [CHALLENGE, b'Basic realm="x"'], steps=Bound(1_000, 20))


every_decoder = pytest.mark.parametrize(
    "make",
    [terminal_2018, terminal_2019, terminal_18, stream, file_requests, rtsp, http_answer, sdp, challenge],
    ids=lambda make: str(make.__name__),
)


@every_decoder
async def test_damaged_frames_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), SHORT, OFTEN)


@pytest.mark.soak
@every_decoder
async def test_a_million_damaged_frames_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), LONG, SELDOM)
