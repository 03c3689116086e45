"""The way to the trunk: UDP, TCP or TLS. Everything goes to one address, and nothing from elsewhere is heard."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from channels.voice.sip.framing import Framer
from channels.voice.sip.message import Request, Response, SipError, parse

Kind = Literal["udp", "tcp", "tls"]


class Listener(Protocol):
    """Whoever hears what comes."""

    def take(self, message: Request | Response) -> None: ...

    def nonsense(self, what: str) -> None: ...

    def broken(self, reason: str) -> None:
        """There is no way any more; told once."""
        ...


class Wire(Protocol):
    """An open way. `host` and `port` are our own end."""

    reliable: bool
    kind: Kind
    host: str
    port: int

    def send(self, octets: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Where:
    """The trunk's address, how to get there, and our own end of it (None: any)."""

    host: str
    port: int
    kind: Kind
    local: tuple[str, int] | None
    trust: ssl.SSLContext | None


async def connect(where: Where, listener: Listener) -> Wire:
    """Open the way; OSError when that fails."""
    loop = asyncio.get_running_loop()
    if where.kind == "udp":
        _, datagrams = await loop.create_datagram_endpoint(
            lambda: _Datagrams(listener), local_addr=where.local, remote_addr=(where.host, where.port)
        )
        return datagrams
    _, stream = await loop.create_connection(
        lambda: _Stream(listener, "tls" if where.trust else "tcp"),
        where.host,
        where.port,
        local_addr=where.local,
        ssl=where.trust,
        server_hostname=where.host if where.trust else None,
    )
    return stream


Carries = TypeVar("Carries", asyncio.Transport, asyncio.DatagramTransport)


class _Way(Generic[Carries]):
    """What both ways share: their own end, and that it is told once when there is none any more."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: Carries | None = None
        self._over = False
        self.host, self.port = "", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.host, self.port = transport.get_extra_info("sockname")[:2]

    def close(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.close()

    def _end(self, reason: str) -> None:
        if not self._over:
            self.close()
            self._listener.broken(reason)


class _Datagrams(_Way[asyncio.DatagramTransport], asyncio.DatagramProtocol):
    reliable = False
    kind: Kind = "udp"

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the socket hears the trunk alone
        if not data.strip(b"\r\n\0"):
            return  # it keeps a way through a firewall open
        try:
            message = parse(data)
        except SipError as problem:
            self._listener.nonsense(str(problem))
        else:
            self._listener.take(message)

    def error_received(self, exc: Exception) -> None:
        self._end(f"中继没有在收：{exc}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc or "已断开"))

    def send(self, octets: bytes) -> None:
        if self._transport is not None and not self._over:
            self._transport.sendto(octets)


class _Stream(_Way[asyncio.Transport], asyncio.Protocol):
    reliable = True

    def __init__(self, listener: Listener, kind: Kind) -> None:
        super().__init__(listener)
        self.kind: Kind = kind
        self._framer = Framer()

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._framer.feed(data):
                if self._over:
                    return
                self._listener.take(message)
        except SipError as problem:
            self._listener.nonsense(str(problem))
            self._end(f"中继说的不是 SIP：{problem}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"与中继的连接断开：{exc or '对方关闭'}")

    def send(self, octets: bytes) -> None:
        if self._transport is not None and not self._over:
            self._transport.write(octets)
