"""A camera with a loudspeaker, written from the documents (RFC 2326, 2617, 7616; ONVIF Streaming Specification, 5.3),
as far as somebody meets it who wants to be heard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from hashlib import md5, sha256
from typing import NamedTuple

from broadcaster.testing import Mood
from tests.harness.audio_server import AudioServer
from tests.harness.radio import Packet, parsed

USER, SECRET, REALM = "officer", 'pass"word', "camera"
FEATURE = "www.onvif.org/ver20/backchannel"
HASHES = {"MD5": md5, "SHA-256": sha256}


class Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]


class CameraServer(AudioServer):
    """`requests` are those it has understood, `packets` what it got to play, `sessions` how many are open.

    `algorithm`: of the digest it asks for, "" for Basic, None for no proof; `qop`: whether that is agreed on.
    `backchannel` False: it knows no such thing (551). `encodings`: payload types and names it takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.algorithm: str | None = None
        self.qop = True
        self.backchannel = True
        self.encodings = "0 8"
        self.maps = ""
        self.timeout = 60
        self.refuses: dict[str, int] = {}
        self.requests: list[Request] = []
        self.packets: list[Packet] = []
        self.sessions = 0
        self.chatter = False
        self.cut_after = 0
        self._nonces = 0

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/onvif/media"

    def heard(self) -> bytes:
        return b"".join(packet.payload for packet in self.packets)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonce = f"nonce{self._nonces}"
        self._nonces += 1
        session = ""
        try:
            while first := await reader.read(1):
                if first == b"$":
                    await self._packet(reader)
                    if self.cut_after and len(self.packets) >= self.cut_after:
                        self.cut_after = 0
                        writer.transport.abort()
                        return
                    continue
                request = read(first + await reader.readuntil(b"\r\n\r\n"))
                if not await self.moody(writer):
                    return
                status, headers, body = self._answer(request, nonce)
                if status == 200 and request.method == "SETUP":
                    self.sessions += 1
                    session = headers["Session"]
                if status == 200 and request.method == "TEARDOWN":
                    self.sessions, session = self.sessions - 1, ""
                if self.chatter:  # what a camera says unasked: a packet, a request of its own
                    writer.write(b"$\x01\x00\x04abcd" + b"OPTIONS * RTSP/1.0\r\nCSeq: 99\r\n\r\n")
                lines = [f"RTSP/1.0 {status} Because", f"CSeq: {request.headers['cseq']}"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                writer.write(("\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body)
        finally:
            self.sessions -= bool(session)

    async def _packet(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readexactly(3)
        data = await reader.readexactly(int.from_bytes(head[1:]))
        if head[0] == 4:
            self.packets.append(parsed(data))

    def _answer(  # noqa: PLR0911 (one for each thing that a camera may say)
        self, request: Request, nonce: str
    ) -> tuple[int, dict[str, str], bytes]:
        if self.algorithm is not None and not self._proved(request, nonce):
            return 401, {"WWW-Authenticate": self._challenge(nonce)}, b""
        self.requests.append(request)
        if self.mood is Mood.THROTTLING:
            return 453, {}, b""
        if request.method in self.refuses:
            return self.refuses[request.method], {}, b""
        if request.method in ("DESCRIBE", "SETUP") and request.headers.get("require") != FEATURE:
            return 400, {}, b""
        match request.method:
            case "DESCRIBE" if not self.backchannel:
                return 551, {"Unsupported": FEATURE}, b""
            case "DESCRIBE":
                return 200, {"Content-Base": f"{self.url}/", "Content-Type": "application/sdp"}, self._description()
            case "SETUP" if request.url != f"{self.url}/trackID=2" or "RTP/AVP/TCP" not in request.headers["transport"]:
                return 461, {}, b""
            case "SETUP":
                transport = "RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1"
                return 200, {"Session": f"s{nonce};timeout={self.timeout}", "Transport": transport}, b""
            case "PLAY":
                self.taken.append(self.url)
        return (200 if request.headers.get("session") == f"s{nonce}" else 454), {}, b""

    def _description(self) -> bytes:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\na=recvonly\r\n"
            "m=audio 0 RTP/AVP 0\r\na=control:trackID=1\r\na=recvonly\r\n"
            f"m=audio 0 RTP/AVP {self.encodings}\r\n{self.maps}a=control:trackID=2\r\na=sendonly\r\n"
        ).encode()

    def _challenge(self, nonce: str) -> str:
        if not self.algorithm:
            return f'Basic realm="{REALM}"'
        qop = ', qop="auth"' if self.qop else ""
        return f'Digest realm="{REALM}", nonce="{nonce}", algorithm={self.algorithm}, opaque="o"{qop}'

    def _proved(self, request: Request, nonce: str) -> bool:
        said = request.headers.get("authorization", "")
        if not self.algorithm:
            return said == "Basic b2ZmaWNlcjpwYXNzIndvcmQ="
        found = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
        if not said.startswith("Digest ") or found.get("nonce") != nonce or found.get("uri") != request.url:
            return False

        def hashed(text: str) -> str:
            return HASHES[self.algorithm or "MD5"](text.encode()).hexdigest()

        middle = f"{nonce}:{found['nc']}:{found['cnonce']}:auth" if self.qop else nonce
        secret, asked = hashed(f"{USER}:{REALM}:{SECRET}"), hashed(f"{request.method}:{request.url}")
        return found.get("opaque") == "o" and found.get("response") == hashed(f"{secret}:{middle}:{asked}")


def read(head: bytes) -> Request:
    first, *lines = head.decode().split("\r\n")
    method, url, version = first.split(" ")
    assert version == "RTSP/1.0"
    return Request(
        method, url, {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    )
