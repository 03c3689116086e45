"""A provider that is called over HTTPS as a server in a process of its own: `python -m tests.harness.cloud NAME`.

It knows the providers' documents and no line of the drivers: it verifies signatures, clocks and nonces by itself, fills
in the templates, answers as it is told to, and calls back with reports and replies until that is acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

PROVIDERS = {"aliyun": "tests.harness.aliyun_cloud", "tencent": "tests.harness.tencent_cloud"}
CALLING = {"aliyun_vms": "tests.harness.aliyun_voice"}
PLATFORMS = {"official": "tests.harness.official_account", "wecom": "tests.harness.wecom"}
BAD_NUMBER = "19900000000"
SLOW = 0.2
AGAIN = 0.2
"""Seconds until a callback that was not answered with 200 comes again."""

SOON = 0.01
MOST_AT_ONCE = 50
"""Reports in one callback."""


class Cloud(ABC):
    """What the providers have in common. `taken`: what goes out, each with key, number and the text on the handset."""

    def __init__(self) -> None:
        self.mood: dict[str, Any] = {"mood": "willing"}
        self.taken: list[dict[str, str]] = []
        self.templates: dict[str, tuple[str, bool]] = {}
        self.call_back = ""
        self.waiting: dict[str, dict[str, Any]] = {}
        self.open: set[asyncio.BaseTransport] = set()
        self.cut_after: int | None = None
        self._serial = 0
        self._calling: asyncio.Task[None] | None = None

    # what a provider does by itself

    @abstractmethod
    def verify(self, request: web.Request, body: bytes) -> web.Response | None:
        """The refusal, if the request is not signed as it should be."""

    @abstractmethod
    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Do what a verified request asks."""

    @abstractmethod
    def throttled(self) -> web.Response:
        """What it says to too many requests."""

    @abstractmethod
    def refused(self, code: str, status: int) -> web.Response:
        """What it says with `code`."""

    @abstractmethod
    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        """A status report; `code` "" for delivered."""

    @abstractmethod
    def reply(self, number: str, text: str, serial: str) -> dict[str, Any]:
        """What somebody sent back."""

    @abstractmethod
    def bodies(self, waiting: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], Any]]:
        """Callbacks to make now, each with what it is about."""

    # what they share

    async def serve(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self.open.add(transport)
        body = await request.read()
        refusal = self.verify(request, body)
        if refusal is not None:
            return refusal
        return await self.operate(request, body)

    async def treated(self, request: web.Request) -> web.StreamResponse | None:
        """What becomes of a message by the mood of the moment; None: it is taken in the ordinary way."""
        match self.mood["mood"]:
            case "throttling":
                return self.throttled()
            case "refusing":
                return self.refused(self.mood["code"], self.mood.get("status", 200))
            case "raw":
                return web.Response(
                    status=self.mood["status"],
                    body=self.mood.get("body", "").encode(),
                    headers=self.mood.get("headers", {}),
                )
            case "babbling":
                assert request.transport is not None
                request.transport.write(b"220 mail.example.org ESMTP\r\n")
                request.transport.close()
                await asyncio.sleep(3600)
        return None

    async def answered(self, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """The answer about a message that was taken, or whatever comes instead."""
        mood = self.mood["mood"]
        if mood == "silent":
            await asyncio.sleep(3600)
        if mood == "slow":
            await asyncio.sleep(SLOW)
        if mood == "cutting" and self.cut_after is not None and len(self.taken) > self.cut_after:
            assert request.transport is not None
            request.transport.abort()
        return answer

    def take(self, key: str, number: str, text: str) -> str:
        """A message goes out; its serial number. Its report follows."""
        self._serial += 1
        serial = f"{self._serial}^{len(self.taken)}"
        self.taken.append({"key": key, "number": number, "text": text})
        if self.call_back and self.mood["mood"] in ("willing", "slow"):
            self.waiting[serial] = {"report": self.report(serial, self.taken[-1], self.mood.get("report", ""))}
            self.call()
        return serial

    def say(self, number: str, text: str) -> str:
        self._serial += 1
        serial = str(1_000_000 + self._serial)
        self.waiting[serial] = {"reply": self.reply(number, text, serial)}
        self.call()
        return serial

    def call(self) -> None:
        if self._calling is None or self._calling.done():
            self._calling = asyncio.create_task(self._call())

    async def _call(self) -> None:
        await asyncio.sleep(SOON)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while self.waiting:
                taken = await asyncio.gather(
                    *(self._called(session, names, body) for names, body in self.bodies(dict(self.waiting)))
                )
                await asyncio.sleep(SOON if all(taken) else AGAIN)

    async def _called(self, session: aiohttp.ClientSession, names: list[str], body: Any) -> bool:
        try:
            async with session.post(self.call_back, json=body) as answer:
                if answer.status != 200 or not self.acknowledged(await answer.json(content_type=None)):
                    return False
        except (aiohttp.ClientError, TimeoutError):
            return False
        for name in names:
            self.waiting.pop(name, None)
        return True

    @abstractmethod
    def acknowledged(self, answer: Any) -> bool:
        """Whether the answer to a callback says that it was taken."""

    async def direct(self, request: web.Request) -> web.Response:
        """Orders of the test."""
        order = await request.json()
        match order.pop("order"):
            case "play":
                self.mood = order
                self.cut_after = len(self.taken) + 2 if order["mood"] == "cutting" else None
            case "call back":
                self.call_back = order["address"]
            case "say":
                return web.json_response(self.say(order["number"], order["text"]))
            case "hang up":
                for transport in self.open:
                    transport.abort()  # type: ignore[attr-defined]
                self.open.clear()
            case "forget":
                self.waiting.clear()
                self.call_back = ""
            case "template":
                self.templates[order["code"]] = (order["content"], order.get("approved", True))
        return web.json_response({"taken": self.taken, "unacknowledged": len(self.waiting)})


async def main(name: str) -> None:
    cloud: Cloud = importlib.import_module({**PROVIDERS, **CALLING, **PLATFORMS}[name]).make()
    app = web.Application()
    app.router.add_post("/-/direct", cloud.direct)
    app.router.add_route("*", "/{path:.*}", cloud.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - that is how the parent learns the port
    await asyncio.Event().wait()


class CloudProcess:
    """The running provider, as tests see it."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def play(self, mood: str, **more: object) -> None:
        await self.ask("play", mood=mood, **more)

    async def taken(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = (await self.ask("look"))["taken"]
        return found

    async def ask(self, order: str, **given: object) -> Any:
        """Give an order; what it says to that."""
        async with aiohttp.ClientSession() as session:
            async with session.post(f"http://127.0.0.1:{self.port}/-/direct", json={"order": order, **given}) as answer:
                return json.loads(await answer.read())


@contextmanager
def running_cloud(name: str) -> Iterator[CloudProcess]:
    """The provider `name`, listening."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.harness.cloud", name]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield CloudProcess(int(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1]))
