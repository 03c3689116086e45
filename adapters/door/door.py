"""A port for instruments: bounded in how many may come, how long they may say nothing, and what they may send.

An instrument is answered only when what it said is stored. When that fails its connection is closed without an answer:
it comes again and says it again.
"""

from __future__ import annotations

import asyncio
import errno
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from broadcaster.errors import UnavailableError
from broadcaster.parting import closed
from broadcaster.ports import Journal

PIECE = 16 * 1024
"""Bytes that are read at a time."""

MOST_DATAGRAMS = 1000
"""Datagrams that may wait; what comes beyond is dropped, and sent again by its instrument."""

MOST_PEERS = 2000
"""Addresses whose unfinished datagrams are remembered."""

_WRITE = 10.0  # seconds for an answer to be taken
_REASONS = {errno.EADDRINUSE: "端口已被占用", errno.EACCES: "没有权限", errno.EADDRNOTAVAIL: "本机没有这个地址"}


class Conversation(Protocol):
    """What is said over one connection, or from one address."""

    def hear(self, data: bytes) -> AsyncIterator[bytes]:
        """Take in what came; yield answers. Never raises for what the other side sends; `ConnectionAbortedError` to
        part from it."""
        ...


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where to listen, by which `transports` (tcp, udp); who may come (`allowed`, empty: everybody); how many
    connections at a time; after how many seconds of silence one is closed."""

    host: str
    port: int
    transports: tuple[str, ...] = ("tcp",)
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    connections: int = 2000
    idle: float = 1800.0

    def expects(self, address: str) -> bool:
        """Whether somebody at this address may come in."""
        if not self.allowed:
            return True
        with suppress(ValueError):
            where = ip_address(address.partition("%")[0])
            where = getattr(where, "ipv4_mapped", None) or where
            return any(where in network for network in self.allowed)
        return False


async def serve(at: Threshold, converse: Callable[[], Conversation], journal: Journal) -> None:
    """Listen until cancelled; `UnavailableError` when the port cannot be had."""
    try:
        async with asyncio.TaskGroup() as group:
            ready = []
            if "tcp" in at.transports:
                ready.append(group.create_task(_serve_tcp(at, converse, journal)))
            if "udp" in at.transports:
                ready.append(group.create_task(_serve_udp(at, converse, journal)))
    except ExceptionGroup as faults:
        if (fault := faults.subgroup(OSError)) is None:
            raise
        error = fault.exceptions[0]
        reason = _REASONS.get(getattr(error, "errno", 0) or 0, str(error))
        raise UnavailableError(
            f"不能监听 {at.host}:{at.port}：{reason}。", remedy="请检查 host 和 port，或停止占用它的程序。"
        ) from error


async def _serve_tcp(at: Threshold, converse: Callable[[], Conversation], journal: Journal) -> None:
    guests: set[asyncio.Task[None]] = set()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        peer = str((writer.get_extra_info("peername") or ("?",))[0])
        if task is None or len(guests) >= at.connections or not at.expects(peer):
            journal.note("!", f"{peer} was not let in: {'too many' if at.expects(peer) else 'not an allowed address'}")
            writer.close()
            return
        guests.add(task)
        try:
            await _attend(at, converse(), reader, writer, journal)
        finally:
            guests.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(welcome, at.host, at.port, limit=PIECE)
    try:
        await asyncio.Event().wait()
    finally:
        await closed(server)
        for task in list(guests):
            task.cancel()
        if guests:
            await asyncio.wait(guests, timeout=5)


async def _attend(
    at: Threshold,
    conversation: Conversation,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    journal: Journal,
) -> None:
    try:
        while True:
            async with asyncio.timeout(at.idle):
                data = await reader.read(PIECE)
            if not data:
                return
            async for answer in conversation.hear(data):
                writer.write(answer)
                async with asyncio.timeout(_WRITE):
                    await writer.drain()
    except (TimeoutError, ConnectionError):
        return
    except asyncio.CancelledError:
        return  # only our own end cancels it, and nothing waits for its result
    except Exception as error:  # it could not be stored: no answer is given
        journal.note("!", f"not stored, connection closed: {type(error).__name__}")


async def _serve_udp(at: Threshold, converse: Callable[[], Conversation], journal: Journal) -> None:
    come: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue(MOST_DATAGRAMS)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(at, come, journal), local_addr=(at.host, at.port)
    )
    peers: OrderedDict[tuple[str, int], Conversation] = OrderedDict()
    try:
        while True:
            data, peer = await come.get()
            conversation = peers.pop(peer, None) or converse()
            peers[peer] = conversation
            if len(peers) > MOST_PEERS:
                peers.popitem(last=False)
            try:
                async for answer in conversation.hear(data):
                    transport.sendto(answer, peer)
            except ConnectionError:
                peers.pop(peer, None)
            except Exception as error:
                journal.note("!", f"not stored, not answered: {type(error).__name__}")
    finally:
        transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, at: Threshold, come: asyncio.Queue[tuple[bytes, tuple[str, int]]], journal: Journal) -> None:
        self._at = at
        self._come = come
        self._journal = journal

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._at.expects(addr[0]):
            self._journal.note("!", f"{addr[0]} was not let in: not an allowed address")
            return
        with suppress(asyncio.QueueFull):
            self._come.put_nowait((data, addr))
