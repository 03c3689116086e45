"""A stream of frames, whoever opened it: frames in, octets out, held back where storing what comes is slow."""

from __future__ import annotations

import asyncio
import socket

WRITE_BUFFER = 256 * 1024

PROBES = 3
"""Questions of the kernel that the other machine may leave unanswered."""


class ProtocolError(ValueError):
    """Octets that are not the protocol: the connection is of no use any more."""


class FrameStream(asyncio.Protocol):
    """`ended` resolves with the reason once it is over.

    After `quiet` seconds of silence the kernel asks whether the other machine is still there, which finds a cut line
    also where the protocol has no question for it.
    """

    head: int
    """Octets that a frame's length is told by."""

    def __init__(self, quiet: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._quiet = quiet
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._held = False
        self._heard = self._listening_since = self._loop.time()
        self.ended: asyncio.Future[str] = self._loop.create_future()

    def size(self, data: bytes, at: int) -> int:
        """Octets of the frame that begins at `at`, of which `head` octets are there; `ProtocolError` where none can."""
        raise NotImplementedError

    def take(self, frame: bytes) -> None:
        """A whole frame has come; `ProtocolError` when it is none of the protocol's."""
        raise NotImplementedError

    def over(self, reason: str) -> None:
        """The connection is over: called once."""

    def write(self, data: bytes) -> None:
        """Write octets; on a connection that is over, nothing."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(data)

    def end(self, reason: str) -> None:
        """The connection is over; the first reason counts. What was written still goes out."""
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if self._transport is not None:
            self._transport.close()
        self.over(reason)

    def hold(self, held: bool) -> None:
        """Stop or resume reading, when what comes back is not stored fast enough."""
        if held == self._held or self._transport is None or self.ended.done():
            return
        self._held = held
        if held:
            self._transport.pause_reading()
        else:
            self._heard = self._listening_since = self._loop.time()
            self._transport.resume_reading()

    def waited(self, since: float) -> float:
        """Seconds since `since` that an answer could have been read in: what came while we held back lies unread."""
        return 0.0 if self._held else self._loop.time() - max(since, self._listening_since)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("A gateway needs a stream.")
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._transport = transport
        _keep_alive(transport.get_extra_info("socket"), self._quiet)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        data = self._rest + data if self._rest else data
        start, end = 0, len(data)
        try:
            while end - start >= self.head and not self.ended.done():
                length = self.size(data, start)
                if end - start < length:
                    break
                self.take(data[start : start + length])
                start += length
        except ProtocolError as problem:
            self.end(f"not the protocol: {problem}")
        self._rest = data[start:]


def _keep_alive(line: socket.socket, quiet: float) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", quiet), ("TCP_KEEPINTVL", quiet), ("TCP_KEEPCNT", PROBES)):
        if (option := getattr(socket, name, None)) is not None:
            line.setsockopt(socket.IPPROTO_TCP, option, max(1, int(value)))
