"""A trunk that stands: the way, the user agent on it, signs of life, and the calls that go over it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from broadcaster.errors import UnavailableError
from broadcaster.ports import Journal
from channels.redaction import redacted
from channels.voice.sip.agent import Agent, Silent
from channels.voice.sip.call import Call, Pressed, Told
from channels.voice.sip.header import host_port
from channels.voice.sip.identity import Identity, new_tag
from channels.voice.sip.media.media import Media
from channels.voice.sip.media.pacer import Pacer
from channels.voice.sip.message import Request, Response, request
from channels.voice.sip.registration import Registration
from channels.voice.sip.settings import SipOptions
from channels.voice.sip.terms import Order
from channels.voice.sip.timing import Patience, Timer, Timers
from channels.voice.sip.transaction import Heard
from channels.voice.sip.wire import Where, Wire, connect

SILENT = "中继没有应答 OPTIONS"


class Trunk:
    """`ended` resolves with the reason once no more calls can be placed over it."""

    def __init__(self, options: SipOptions, where: Where, pacer: Pacer, journal: Journal) -> None:
        self._options = options
        self._where = where
        self._pacer = pacer
        self._journal = journal
        self._timers: Timers = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._agent: Agent | None = None
        self._registration: Registration | None = None
        self._watch: Timer | None = None
        self.calls: set[Call] = set()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Reach it, sign in where that is wanted; `UnavailableError` says why that failed."""
        options, where = self._options, self._where
        try:
            async with asyncio.timeout(options.connect_timeout):
                self._wire = wire = await connect(where, self)
                self._agent = agent = Agent(
                    self._identity(wire), wire, self._timers, Patience(options.answer_timeout), self._journal
                )
                await self._greet(agent)
        except (OSError, TimeoutError) as problem:
            self.close()
            raise self._unavailable(str(problem) or "超时") from problem
        except BaseException:
            self.close()
            raise
        self._look_after()

    def place(self, order: Order, told: Told, pressed: Pressed) -> Call:
        """Begin a call. OSError when there is no port for its sound."""
        agent, wire, options = self._agent, self._wire, self._options
        if agent is None or wire is None:
            raise RuntimeError("The trunk is not open.")

        def media(key: Callable[[str], None]) -> Media:
            return Media(wire.host, options.ports, self._pacer, key)

        call = Call(agent, order, options.rules, media, told, pressed)
        self.calls.add(call)
        call.over.add_done_callback(lambda _: self.calls.discard(call))
        call.begin()
        return call

    def end(self, reason: str) -> None:
        """Place no more calls; those that are under way go on as well as they can."""
        if not self.ended.done():
            self._journal.note("!", redacted(reason))
            self.ended.set_result(reason)

    async def leave(self, within: float) -> None:
        """Sign out."""
        if self._registration is not None and not self.ended.done():
            await self._registration.sign_out(within)

    def close(self) -> None:
        """Everything ends now."""
        self.end("已断开")
        for call in list(self.calls):
            call.cut("外呼系统已断开")
        if self._watch is not None:
            self._watch.cancel()
        if self._registration is not None:
            self._registration.stop()
        if self._agent is not None:
            self._agent.stop()
        if self._wire is not None:
            self._wire.close()

    def take(self, message: Request | Response) -> None:
        if self._agent is not None:
            self._agent.take(message)

    def nonsense(self, what: str) -> None:
        self._journal.note("!", redacted(f"收到的不是 SIP 消息：{what}"))

    def broken(self, reason: str) -> None:
        self.end(reason)
        for call in list(self.calls):
            call.cut(reason)

    def _identity(self, wire: Wire) -> Identity:
        options = self._options
        domain = options.domain or (f"[{options.host}]" if ":" in options.host else options.host)
        host = options.advertise or wire.host
        return Identity(options.caller, domain, wire.kind.upper(), host, wire.port)

    async def _greet(self, agent: Agent) -> None:
        """A sign of life before the first call: signing in, or asking whether somebody is there."""
        options = self._options
        if options.register:
            self._journal.note("→", "注册")
            registration = self._registration = Registration(agent, options.user, options.password)
            if why := await registration.sign_in():
                raise self._unavailable(why)
            registration.ended.add_done_callback(lambda ended: self.end(ended.result()))
        elif options.heartbeat:
            self._journal.note("→", "OPTIONS")
            answered = asyncio.Event()
            self._ask(agent, lambda _: answered.set(), lambda: self.end(SILENT))
            self.ended.add_done_callback(lambda _: answered.set())
            await answered.wait()
        if self.ended.done():
            raise self._unavailable(self.ended.result())
        self._journal.note("←", "中继有应答" if options.register or options.heartbeat else "未询问中继")

    def _ask(self, agent: Agent, heard: Heard, silent: Silent) -> None:
        """OPTIONS: any answer at all is a sign of life."""
        identity = agent.identity
        uri = f"sip:{identity.domain}"
        call_id = f"{secrets.token_hex(12)}@{identity.host}"
        sender = f"<{identity.address}>;tag={new_tag()}"
        headers = identity.common(call_id, sender, f"<{uri}>", 1, "OPTIONS")
        headers += [("contact", identity.contact), ("accept", "application/sdp")]
        agent.ask(request("OPTIONS", uri, headers), heard, silent)

    def _look_after(self) -> None:
        agent, heartbeat = self._agent, self._options.heartbeat
        if agent is None or not heartbeat or self.ended.done():
            return
        quiet = self._timers.time() - agent.heard_at
        if quiet >= heartbeat:
            self._ask(agent, lambda _: None, lambda: self.end(SILENT))
            quiet = 0.0
        self._watch = self._timers.call_later(max(0.01, heartbeat - quiet), self._look_after)

    def _unavailable(self, why: str) -> UnavailableError:
        where = host_port(self._where.host, self._where.port)
        return UnavailableError(
            f"语音中继 {where} 不可用：{why}。",
            remedy="请检查地址、端口、专线或防火墙，以及运营商登记的本机地址和账号。",
        )
