"""A made-up provider that is called over HTTP, with tokens that go stale and requests for several: what `channels/http`
is tried with apart from any real one."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import msgspec
from aiohttp import web
from msgspec import Meta

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Accepted, Envelope, Outcome, Rejected
from channels.http.exchange import Answer, NonsenseError, Request
from channels.http.provider import Call, Reading, Stale
from channels.http.settings import HttpOptions


class PigeonOptions(HttpOptions, frozen=True, kw_only=True):
    home: ClassVar[str] = "https://pigeons.example"

    flock: Annotated[int, Meta(ge=1)] = 1


class Landed(msgspec.Struct):
    landed: dict[str, str]


_landed = msgspec.json.Decoder(Landed)


class Pigeons:
    """`flock` messages go out in one request; a token is fetched when signing in, and when it is stale."""

    def __init__(self, options: PigeonOptions) -> None:
        self._options = options
        self.token = ""

    async def sign_in(self, call: Call) -> None:
        await self.renew(call)

    async def renew(self, call: Call) -> None:
        answer = await call(Request("token", self._options.url / "token"))
        if answer.status != 200:
            raise UnavailableError("鸽舍不给令牌。", remedy="喂鸽子。")
        try:
            self.token = json.loads(answer.body)["token"]
        except (ValueError, KeyError, TypeError) as problem:
            raise NonsenseError("没有令牌") from problem

    def check(self, envelope: Envelope) -> None:
        if envelope.address == "the moon":
            raise InputError("太远了。")

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        step = self._options.flock
        return (envelopes[start : start + step] for start in range(0, len(envelopes), step))

    def request(self, group: Sequence[Envelope]) -> Request:
        body = json.dumps({"to": {str(one.key): one.address for one in group}}).encode()
        return Request("fly", self._options.url / "fly", {"Authorization": self.token}, body)

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        if answer.status == 403 and answer.body == b"stale":
            return Stale("令牌过期")
        landed = answer.read(_landed).landed
        return [_outcome(one, landed[str(one.key)]) for one in group if str(one.key) in landed]


def _outcome(envelope: Envelope, said: str) -> Outcome:
    return Rejected(envelope.key, "没有这家") if said == "nobody" else Accepted(envelope.key, said)


Handle = Callable[["Loft", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Loft:
    """The server; `handle` answers `/fly`, by default everything lands."""

    handle: Handle | None = None
    url: str = ""
    tokens: int = 0
    flights: list[dict[str, str]] = field(default_factory=list)
    flying: int = 0
    most_flying: int = 0
    went_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def fly(self, request: web.Request) -> web.StreamResponse:
        self.flights.append((await request.json())["to"])
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        self.went_on.set()
        try:
            return await self.handle(self, request) if self.handle else self.landed(self.flights[-1])
        finally:
            self.flying -= 1

    async def token(self, _: web.Request) -> web.Response:
        self.tokens += 1
        return web.json_response({"token": f"token-{self.tokens}"})

    @staticmethod
    def landed(to: dict[str, str]) -> web.Response:
        return web.json_response({"landed": dict.fromkeys(to, "ring")})


@asynccontextmanager
async def listening(handle: Handle | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loft]:
    """A loft on a port of its own."""
    loft = Loft(handle)
    app = web.Application()
    app.router.add_post("/token", loft.token)
    app.router.add_post("/fly", loft.fly)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=tls).start()
    loft.url = f"{'https' if tls else 'http'}://localhost:{runner.addresses[0][1]}"
    try:
        yield loft
    finally:
        await runner.cleanup()
