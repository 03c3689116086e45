"""The web process killed while another machine hands in replies."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from random import Random

import aiohttp

from broadcaster.security import accounts, credentials
from broadcaster.security.permissions import SYSTEM, Grant, Role
from tests.crash.fault import Fault
from tests.harness.outpost import Outpost

BUNDLE = 5
"""Replies of one request."""

PAUSE = 0.03
"""Seconds between two requests."""


class KilledWeb(Fault):
    """`daohu serve` is killed and started again. What it answered 202 for must be there; the rest is handed in anew."""

    name = "serve killed"

    def __init__(self) -> None:
        self._token = ""
        self._number = 0
        self._handing_in: asyncio.Task[None] | None = None

    async def prepare(self, post: Outpost) -> None:
        now = post.house.clock.now()
        name = f"machine-{now.timestamp():.0f}"
        account = await accounts.create_account(
            post.house.database, SYSTEM, name, "correct horse battery", grants=[Grant(Role.AUTHOR, "")], now=now
        )
        self._token = await credentials.grant_token(account, "replies", now)
        await post.open_web()
        self._handing_in = asyncio.create_task(self._hand_in(post))

    async def strike(self, post: Outpost, chance: Random) -> int:
        if post.web is None:
            raise RuntimeError("There is no web process to kill.")
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        await asyncio.to_thread(post.web.kill)
        await post.open_web()
        return 1

    async def relent(self, post: Outpost) -> None:
        if self._handing_in is not None:
            self._handing_in.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._handing_in
        if post.web is not None:
            await asyncio.to_thread(post.web.stop)
            post.web = None

    async def _hand_in(self, post: Outpost) -> None:
        """A platform that repeats what was not acknowledged."""
        url = f"{post.house.settings.web.public_url}/api/v1/replies"
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"}) as session:
            while True:
                numbers = [f"{self._number + n}" for n in range(BUNDLE)]
                at = datetime.now(UTC).isoformat()
                replies = [{"id": one, "address": "+8613900000000", "text": "谢谢", "at": at} for one in numbers]
                body = {"channel": "sms", "rehearsal": True, "replies": replies}
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(url, json=body, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                        if answer.status == 202:
                            post.handed_in.update(numbers)
                            self._number += BUNDLE
                await asyncio.sleep(PAUSE)
