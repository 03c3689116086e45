"""Signing in to a trunk that does not know us by our address (REGISTER, RFC 3261 section 10)."""

from __future__ import annotations

import asyncio
import re
import secrets

from channels.voice.sip.agent import Agent
from channels.voice.sip.header import party, split
from channels.voice.sip.identity import new_tag
from channels.voice.sip.message import Header, Response, request
from channels.voice.sip.proof import Proof
from channels.voice.sip.timing import Timer

EXPIRES = 600
SHORTEST = 30
"""Seconds for which we want to be known, and that we put up with at the least."""

EARLY = 0.8
"""The share of that time after which we say it again."""

_SECONDS = re.compile(r"\s*([0-9]{1,9})\s*\Z")


class Registration:
    """One account. `ended` resolves with the reason once the trunk does not know us any more."""

    def __init__(self, agent: Agent, user: str, password: str) -> None:
        identity = agent.identity
        self._agent = agent
        self._user = user
        self._password = password
        self._uri = f"sip:{identity.domain}"
        self._address = f"sip:{user}@{identity.domain}"
        self._call_id = f"{secrets.token_hex(12)}@{identity.host}"
        self._tag = new_tag()
        self._sequence = 0
        self._wanted = EXPIRES
        self._proof = Proof(user, password)
        self._again: Timer | None = None
        self._said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def sign_in(self) -> str:
        """Why the trunk does not let us in, "" when it does."""
        self._register(())
        return await self._said

    async def sign_out(self, within: float) -> None:
        """Be known no more; whether the trunk answers to that is its own business."""
        if self._again is None:
            return
        self._again.cancel()
        self._again, self._wanted = None, 0
        self._proof = Proof(self._user, self._password)
        self._said = asyncio.get_running_loop().create_future()
        self._register(())
        await asyncio.wait([self._said], timeout=within)

    def stop(self) -> None:
        if self._again is not None:
            self._again.cancel()

    def _register(self, extra: tuple[Header, ...]) -> None:
        self._sequence += 1
        identity = self._agent.identity
        sender = f"<{self._address}>;tag={self._tag}"
        headers = identity.common(self._call_id, sender, f"<{self._address}>", self._sequence, "REGISTER")
        headers += [("contact", identity.contact), ("expires", str(self._wanted)), *extra]
        self._agent.ask(request("REGISTER", self._uri, headers), self._heard, self._silent)

    def _heard(self, response: Response) -> None:
        if (shown := self._proof.header(response, "REGISTER", self._uri)) is not None:
            self._register((shown,))
        elif response.status == 423 and self._longer(response):
            self._register(())
        elif 200 <= response.status < 300:
            self._known(response)
        else:
            self._over(f"注册被拒绝（{response.status}）")

    def _longer(self, response: Response) -> bool:
        """Whether the trunk wants us to be known for longer than we asked for."""
        found = _SECONDS.match(response.first("min-expires"))
        if found is None or int(found[1]) <= self._wanted:
            return False
        self._wanted = int(found[1])
        self._proof = Proof(self._user, self._password)
        return True

    def _known(self, response: Response) -> None:
        self._proof = Proof(self._user, self._password)
        if self._wanted:
            seconds = max(SHORTEST, self._granted(response))
            self._again = self._agent.timers.call_later(seconds * EARLY, self._renew)
        if not self._said.done():
            self._said.set_result("")

    def _granted(self, response: Response) -> int:
        own = party(self._agent.identity.contact).uri
        for value in response.all("contact"):
            for one in map(party, split(value)):
                if one.uri == own and (found := _SECONDS.match(one.parameters.get("expires", ""))):
                    return int(found[1])
        found = _SECONDS.match(response.first("expires"))
        return int(found[1]) if found else self._wanted

    def _renew(self) -> None:
        self._register(())

    def _silent(self) -> None:
        self._over("注册没有应答")

    def _over(self, reason: str) -> None:
        if not self._said.done():
            self._said.set_result(reason)
        elif not self.ended.done():
            self.ended.set_result(reason)
