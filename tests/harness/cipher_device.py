"""The program before a cipher device, as `channels/loudspeaker/signing/signer.py` describes it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

from aiohttp import web

from channels.loudspeaker.signing.sm2 import PrivateKey
from tests.harness.ebd_keys import OURS, OURS_SERIAL


class CipherDevice:
    """`url` is where it signs. `answer` is what it says instead, if anything; while `held`, it says nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.answer: web.Response | None = None
        self.asked = 0
        self._free = asyncio.Event()
        self._free.set()

    def hold(self, held: bool) -> None:
        """Have it keep everybody waiting, or no longer."""
        (self._free.clear if held else self._free.set)()

    async def sign(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        self.asked += 1
        assert (asked["certSN"], asked["algorithm"], asked["id"]) == (OURS_SERIAL, "SM2-SM3", "1234567812345678")
        await self._free.wait()
        signed = PrivateKey.read(OURS).sign(b64decode(asked["data"]))
        return self.answer or web.json_response({"signature": b64encode(signed).decode()})


@contextlib.asynccontextmanager
async def cipher_device(answer: web.Response | None = None) -> AsyncIterator[CipherDevice]:
    """One that listens."""
    device = CipherDevice()
    device.answer = answer
    app = web.Application()
    app.router.add_post("/sign", device.sign)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    device.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sign"
    try:
        yield device
    finally:
        device.hold(False)
        await runner.cleanup()
