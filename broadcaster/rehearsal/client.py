"""Directing a running rehearsal from another process."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Medium
from broadcaster.rehearsal.counts import Counts, total
from channels.line.settings import Address
from channels.line.wire import Ask, Framer, LineError, Told, encode

T = TypeVar("T")

READ = 64 * 1024


class RehearsalClient:
    """Questions and stage directions, each over a connection of its own; `UnavailableError` when nobody answers."""

    def __init__(self, address: str, *, timeout: float = 10.0) -> None:
        self._address = Address.parse(address)
        self._timeout = timeout

    async def stats(self) -> dict[str, Counts]:
        """What each account has seen so far."""
        return await self._ask("stats", {}, dict[str, Counts])

    async def total(self) -> Counts:
        """What all accounts have seen so far."""
        return total((await self.stats()).values())

    async def behave(self, channel: Medium, **changes: object) -> None:
        """Change a channel's behaviour from now on; keys as in the script, parts as dicts of what changes in them."""
        builtins = {key: msgspec.to_builtins(value) for key, value in changes.items()}
        await self._ask("behave", {"channel": channel.value, "changes": builtins}, None)

    async def cut(self, account: str = "") -> int:
        """Break the account's connections, or everybody's; how many."""
        return await self._ask("cut", {"account": account}, int)

    async def say(self, account: str, address: str, text: str) -> str:
        """Have somebody write back out of the blue; the id of what they wrote."""
        return await self._ask("say", {"account": account, "address": address, "text": text}, str)

    async def stray(self, account: str, count: int = 1) -> None:
        """Send receipts for messages that never were."""
        await self._ask("stray", {"account": account, "count": count}, None)

    async def call_back(self, platform: str, account: str, address: str) -> None:
        """Have a platform (of WeChat's, of loudspeakers) call the account's client there; "": nowhere any more."""
        await self._ask("call_back", {"platform": platform, "account": account, "address": address}, None)

    async def follow(self, account: str, address: str, *, follows: bool = True, scene: str = "") -> None:
        """Have somebody begin or cease to follow an official account, or to be a member of an office's WeCom."""
        arguments: dict[str, object] = {"account": account, "address": address, "follows": follows, "scene": scene}
        await self._ask("follow", arguments, None)

    async def press(self, account: str, address: str) -> str:
        """Have somebody press the button on the last card that they got; the id of that."""
        return await self._ask("press", {"account": account, "address": address}, str)

    async def storm(self, readings: str = "", token: str = "") -> float:
        """Let the storm begin; when that was, in Unix seconds. Rain gauges post to `readings` with the bearer token
        `token`; "": nowhere."""
        return await self._ask("storm", {"readings": readings, "token": token}, float)

    async def _ask(self, question: str, arguments: dict[str, object], answer: type[T] | None) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                told = await self._exchange(Ask(question, msgspec.json.encode(arguments)))
        except (OSError, TimeoutError, LineError) as problem:
            raise UnavailableError(
                f"The rehearsal at {self._address} does not answer: {problem or 'timed out'}."
            ) from problem
        if told.problem:
            raise InputError(f"The rehearsal cannot {question}: {told.problem}")
        return msgspec.json.decode(told.answer, type=answer)

    async def _exchange(self, ask: Ask) -> Told:
        if self._address.path:
            reader, writer = await asyncio.open_unix_connection(self._address.path)
        else:
            reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        try:
            writer.write(encode(ask))
            framer = Framer()
            while data := await reader.read(READ):
                for frame in framer.feed(data):
                    if isinstance(frame, Told):
                        return frame
                    raise LineError(f"A {type(frame).__name__} frame is no answer.")
            raise ConnectionError("the connection was closed before the answer")
        finally:
            writer.close()
            await asyncio.wait([asyncio.ensure_future(_closed(writer))])


async def _closed(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.wait_closed()
    except OSError:
        return  # it is closed, one way or the other
