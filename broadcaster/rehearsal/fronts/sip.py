"""The front of a telephone exchange: SIP (RFC 3261) over UDP and TCP, with the phones behind it.

It is an end that is called (UAS). A caller is known by the address that it calls from; its account is the name that it
proves, or else the number that it shows.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fates import Traits, draw, repeatable
from broadcaster.rehearsal.fronts.act import Act
from broadcaster.rehearsal.fronts.caller import REALM, Caller, status_of
from broadcaster.rehearsal.fronts.front import FrontError
from broadcaster.rehearsal.fronts.ringing import UNANSWERED, Plan
from broadcaster.rehearsal.fronts.sip_words import cut
from broadcaster.rehearsal.script import SipFront
from channels.line.settings import Address

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

NONCES = 10_000


class Exchange:
    """Listens, and decides what those do who are called."""

    def __init__(self, stage: Stage, settings: SipFront) -> None:
        self.stage = stage
        self.settings = settings
        self.host, self.port = "", 0
        self._callers: set[Caller] = set()
        self._rung: dict[str, int] = {}
        self._nonces: dict[str, None] = {}
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None

    async def open(self) -> Address:
        """By UDP and TCP on the same port; where. OSError when it is taken."""
        loop, address = asyncio.get_running_loop(), Address.parse(self.settings.listen)
        self._server = await loop.create_server(lambda: _Stream(self), address.host, address.port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self._datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(self.host, self.port)
        )
        return Address(host=self.host, port=self.port)

    def close(self) -> None:
        for caller in list(self._callers):
            caller.cut("the rehearsal ends")
        if self._datagrams is not None:
            self._datagrams.close()
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.wait_closed()

    def caller(self, kind: str, write: Callable[[bytes], None], end: Callable[[], None]) -> Caller:
        """Somebody calls from where nobody has called before."""
        made = Caller(self, self.stage.next_number(), kind, write, end)
        self._callers.add(made)
        return made

    def challenges(self, name: str) -> bool:
        return self.settings.challenge or bool(self.stage.password(name))

    def nonce(self) -> str:
        made = secrets.token_hex(12)
        self._nonces[made] = None
        while len(self._nonces) > NONCES:
            del self._nonces[next(iter(self._nonces))]
        return made

    def proved(self, fields: dict[str, str], method: str, password: str) -> bool:
        """Whether the answer to a challenge of ours is right (RFC 2617); each challenge is good for one answer."""
        nonce = fields.get("nonce", "")
        if nonce not in self._nonces:
            return False
        del self._nonces[nonce]
        if not password:
            return True
        user, uri = fields.get("username", ""), fields.get("uri", "")
        mine = _md5(f"{_md5(f'{user}:{REALM}:{password}')}:{nonce}:{fields.get('nc', '')}:{fields.get('cnonce', '')}"
                    f":{fields.get('qop', '')}:{_md5(f'{method}:{uri}')}")  # fmt: skip
        return hmac.compare_digest(mine, fields.get("response", ""))

    def plan(self, account: Account, address: str, traits: Traits) -> Plan:
        """What the one at `address` will do; a reader's own failure is for ever, the rest is dealt for each call."""
        times = self._rung[address] = self._rung.get(address, 0) + 1
        random = repeatable(f"{self.stage.script.seed}/{address}/{times}")
        settings, behaviour, pace = self.settings, account.behaviour, self.stage.script.pace
        lifts = draw(random, behaviour.receipt) * pace
        unanswered, leaves = random.random() < settings.unanswered, _leaves(random, settings, pace)
        middle = random.random() < settings.middle
        if traits.failure:
            status = status_of(traits.failure, 480)
            return Plan(status, traits.failure, None, "", middle=False, leaves=None)
        if unanswered:
            return Plan(0, UNANSWERED, None, "", middle=False, leaves=None)
        key = "" if traits.silent else behaviour.duty.key
        return Plan(0, "", lifts, key, middle, leaves)


class _Datagrams(asyncio.DatagramProtocol):
    """The socket that all callers by UDP call."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._transport: asyncio.DatagramTransport | None = None
        self._callers: dict[tuple[str, int], Caller] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        caller = self._callers.get(addr)
        if caller is None:
            caller = self._callers[addr] = self._exchange.caller(
                "UDP", lambda octets: self._write(octets, addr), _nothing
            )
        caller.take(data)

    def _write(self, octets: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(octets, addr)


class _Stream(asyncio.Protocol):
    """A caller by TCP."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._caller: Caller | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = transport  # type: ignore[assignment]
        self._caller = self._exchange.caller("TCP", made.write, made.abort)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while self._caller is not None and (octets := cut(self._buffer)) is not None:
                self._caller.take(octets)
        except FrontError:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._caller is not None:
            self._caller.cut(f"closed by the client: {exc or 'no good-bye'}")


def _leaves(random: Random, settings: SipFront, pace: float) -> float | None:
    chosen, after = random.random(), draw(random, settings.hang_up_after) * pace
    return after if chosen < settings.hang_up else None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _nothing() -> None:
    """By UDP there is no connection to end."""


def act(stage: Stage, settings: SipFront) -> Act:
    """The front on a stage."""
    return Exchange(stage, settings)
