"""Where our own mail server hands over what comes back: LMTP (RFC 2033), or SMTP for one that speaks no other.

Every recipient is taken: refusing one would have the server bounce somebody's forgery to whoever is named in it. A mail
is answered for when it is stored; what cannot be stored now is to be brought again.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from broadcaster.parting import closed
from channels.email.letter import LONGEST
from channels.email.settings import Place

MOST_OCTETS = 50 * 1024 * 1024
"""Of a mail: people answer with photographs."""

KEPT = 2 * LONGEST
"""Octets of it that are kept: more than is read."""

MOST_CONNECTIONS = 100
MOST_RECIPIENTS = 100
_OFFERED = ("250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8")
_END = b"\r\n.\r\n"
LONGEST_COMMAND = 4 * 1024
SILENCE = 300.0  # s of the peer's (RFC 5321 4.5.3.2.7)
_PATH = re.compile(r"(?:FROM|TO)\s*:\s*<?([^<>\s]{0,400})>?", re.IGNORECASE)

Take = Callable[[bytes, Sequence[str]], Awaitable[bool]]
"""Stores a mail for its recipients; False when that cannot be done now."""


class Doorman:
    """Listens until it is closed."""

    def __init__(self, take: Take) -> None:
        self._give = take
        self._storing = 0
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many mails are being stored."""
        return self._storing

    async def open(self, place: Place) -> None:
        """Begin to listen; OSError when that is not possible. Every process of this machine may listen at the same
        port: the system shares the calls out."""
        if not place.path:
            self._server = await asyncio.start_server(self._answer, place.host, place.port, reuse_port=True)
            return
        if await asyncio.to_thread(_answered, place.path):
            raise FileExistsError(f"{place}: another process listens there")
        self._server = await asyncio.start_unix_server(self._answer, place.path)
        await asyncio.to_thread(Path(place.path).chmod, 0o666)

    async def close(self) -> None:
        """Answer nobody any more; mails of which the storing has begun are answered for first."""
        if self._server is not None:
            await closed(self._server)
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _take(self, mail: bytes, recipients: Sequence[str]) -> bool:
        self._storing += 1
        try:
            return await self._give(mail, recipients)
        finally:
            self._storing -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        if call is None:
            return
        self._calls.add(call)
        try:
            if len(self._calls) > MOST_CONNECTIONS:
                writer.write(b"421 4.3.2 too many connections\r\n")
                return
            await Call(reader, writer, self._take).run()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever called is gone, talks no SMTP, or will call again
        finally:
            self._calls.discard(call)
            writer.close()


class Call:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take) -> None:
        self._reader = reader
        self._writer = writer
        self._take = take
        self._each = True
        self._begun = False
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Answer until the peer has enough."""
        await self._say("220 daohu LMTP")
        while True:
            line = await self._line()
            verb, rest = line[:4].upper(), line[5:]
            if verb == "QUIT":
                await self._say("221 2.0.0 bye")
                return
            await self._obey(verb, rest)

    async def _obey(self, verb: str, rest: str) -> None:
        match verb:
            case "LHLO" | "EHLO" | "HELO":
                self._each = verb == "LHLO"
                self._forget()
                await self._say("250-daohu", *_OFFERED, f"250 SIZE {MOST_OCTETS}")
            case "MAIL":
                self._forget()
                self._begun = True
                await self._say("250 2.1.0 ok")
            case "RCPT" if not self._begun:
                await self._say("503 5.5.1 MAIL first")
            case "RCPT" if len(self._recipients) >= MOST_RECIPIENTS:
                await self._say("452 4.5.3 too many recipients")
            case "RCPT":
                path = _PATH.match(rest)
                self._recipients.append(path[1] if path else "")
                await self._say("250 2.1.5 ok")
            case "DATA" if not self._recipients:
                await self._say("503 5.5.1 RCPT first")
            case "DATA":
                await self._data()
            case "RSET":
                self._forget()
                await self._say("250 2.0.0 ok")
            case "NOOP":
                await self._say("250 2.0.0 ok")
            case _:
                await self._say("502 5.5.1 not spoken here")

    async def _data(self) -> None:
        await self._say("354 go ahead")
        content = await self._content()
        recipients = tuple(self._recipients)
        self._forget()
        if content is None:
            await self._verdict("552 5.3.4 too large", recipients)
            return
        storing = asyncio.ensure_future(self._take(content, recipients))
        try:
            stored = await asyncio.shield(storing)
        except asyncio.CancelledError:  # we are leaving: what is being stored is answered for
            await self._verdict(_said(await storing), recipients)
            raise
        await self._verdict(_said(stored), recipients)

    async def _verdict(self, said: str, recipients: Sequence[str]) -> None:
        """LMTP has an answer for each recipient, SMTP one for all."""
        await self._say(*[said] * (len(recipients) if self._each else 1))

    async def _content(self) -> bytes | None:
        """The beginning of the mail, its dots unstuffed, as far as anybody reads it; the rest goes by. None when it is
        too large."""
        kept, size, tail = bytearray(), 0, b"\r\n"
        async with asyncio.timeout(SILENCE):
            while tail != _END:
                piece = await self._piece()
                tail = (tail + piece)[-len(_END) :]
                size += len(piece)
                kept += piece[: KEPT - len(kept)]
        if size > MOST_OCTETS:
            return None
        whole = bytes(kept[: size - 3]).replace(b"\r\n..", b"\r\n.")
        return whole[1:] if whole.startswith(b"..") else whole

    async def _piece(self) -> bytes:
        try:
            return await self._reader.readuntil(b".\r\n")
        except asyncio.LimitOverrunError as long:
            return await self._reader.readexactly(long.consumed)

    async def _line(self) -> str:
        async with asyncio.timeout(SILENCE):
            line = await self._reader.readuntil(b"\n")
        if len(line) > LONGEST_COMMAND:
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        async with asyncio.timeout(SILENCE):
            await self._writer.drain()

    def _forget(self) -> None:
        self._begun = False
        self._recipients = []


def _said(stored: bool) -> str:
    return "250 2.0.0 stored" if stored else "451 4.3.0 cannot store it now"


def _answered(path: str) -> bool:
    """Whether somebody listens at a socket's path already."""
    with socket.socket(socket.AF_UNIX) as knocking, contextlib.suppress(OSError):
        knocking.settimeout(1.0)
        knocking.connect(path)
        return True
    return False
