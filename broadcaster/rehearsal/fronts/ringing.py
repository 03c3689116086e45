"""One call at the rehearsal's exchange: it rings, somebody lifts the receiver or does not, listens, presses a key,
hangs up."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from broadcaster.rehearsal.fronts.phone import EVENT, Phone
from broadcaster.rehearsal.fronts.sip_words import Said, answer, between, written
from broadcaster.rehearsal.logbook import Called
from channels.line.wire import ReceiptRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.fronts.caller import Caller

FIRST, LONGEST, PATIENCE = 0.5, 4.0, 32.0
"""Seconds: the first pause before something is said again, the longest, and until it is given up (RFC 3261)."""

HEARD, HUNG_UP, UNANSWERED = "听完", "提前挂断", "无人接听"
LINGER = 5.0
"""Seconds for which a call that is over still answers what comes again."""


class Plan(NamedTuple):
    """What the one who is called will do: refuse with `status` (0: not), for the reason `why`; or lift the receiver
    after `lifts` seconds (None: never); press `key` ("": none), in the `middle` or at the end; hang up after `leaves`
    seconds (None: not)."""

    status: int
    why: str
    lifts: float | None
    key: str
    middle: bool
    leaves: float | None


class Ringing:
    """One call. `key` is the caller's own name of the message, as its Call-ID begins with it."""

    def __init__(self, caller: Caller, invite: Said, key: tuple[int, int, int], address: str, plan: Plan) -> None:
        self.invite = invite
        self.ref = invite.one("call-id")
        self._caller = caller
        self._key = key
        self._address = address
        self._plan = plan
        self._tag = secrets.token_hex(6)
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._phone: Phone | None = None
        self._opening: asyncio.Task[None] | None = None
        self._speaking = False
        self._over = False
        self._pressed = ""
        self._sequence = 100

    def ring(self, delay: float) -> None:
        """Say that the call was taken, and ring."""
        self._say(100, "Trying")
        self._later("ring", delay, self._rings)

    def hear(self, said: Said) -> None:
        """Something within this call."""
        match said.method:
            case "ACK":
                self._stop("again")
                if self._speaking:
                    self._stop("give up")
            case "CANCEL":
                self._caller.send(answer(said, 200, "OK", self._tag))
                if not self._speaking and not self._over:
                    self._refuse(487, "Request Terminated", UNANSWERED if self._plan.lifts is None else "主叫放弃")
            case "BYE":
                self._caller.send(answer(said, 200, "OK", self._tag))
                if self._speaking:
                    self._end(HEARD)
            case "INVITE" | "UPDATE":
                body = self._description() if said.method == "INVITE" else ""
                self._caller.send(answer(said, 200, "OK", self._tag, self._contact(), *_typed(body), body=body))
            case _:
                self._caller.send(answer(said, 200, "OK", self._tag))

    def heard_answer(self, said: Said) -> None:
        """The caller has answered our BYE, or a key."""
        if said.method == "BYE":
            self._stop("again")
            self._stop("give up")

    def stop(self) -> None:
        """The exchange ends."""
        for name in list(self._timers):
            self._stop(name)
        if self._opening is not None:
            self._opening.cancel()
        if self._phone is not None:
            self._phone.close()

    def _rings(self) -> None:
        plan = self._plan
        if plan.status:
            self._refuse(plan.status, "Refused", plan.why)
            return
        self._say(180, "Ringing", self._contact())
        if plan.lifts is not None:
            self._later("lift", plan.lifts, self._lift)

    def _lift(self) -> None:
        self._opening = self._loop.create_task(self._answer())

    async def _answer(self) -> None:
        _, phone = await self._loop.create_datagram_endpoint(
            lambda: Phone(self._lull), local_addr=(self._caller.host, 0)
        )
        if self._over:
            phone.close()
            return
        self._phone, self._speaking = phone, True
        body = self._description()
        octets = answer(self.invite, 200, "OK", self._tag, self._contact(), *_typed(body), body=body)
        self._insist(octets, lambda: self._end("没有确认"))
        if self._plan.leaves is not None:
            self._later("leave", self._plan.leaves, self._leave)
        if self._plan.key and self._plan.middle:
            self._later("press", 1.0, self._press)

    def _description(self) -> str:
        port = self._phone.port if self._phone is not None else 9
        offered = between(self.invite.body + "\r\n", "m=audio ", "\r\n").split()[2:]
        law = next((one for one in offered if one in ("8", "0")), "8")
        return (
            f"v=0\r\no=rehearsal 1 1 IN IP4 {self._caller.host}\r\ns=call\r\nc=IN IP4 {self._caller.host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {law} {EVENT}\r\na=rtpmap:{EVENT} telephone-event/8000\r\na=fmtp:{EVENT} 0-15\r\n"
        )

    def _lull(self) -> None:
        """Nothing more is said: whoever is asked presses now."""
        if self._plan.key and not self._pressed:
            self._press()

    def _press(self) -> None:
        key = self._plan.key
        if self._over or self._pressed or self._phone is None:
            return
        self._pressed = key
        self._caller.account.pressed((f"{self.ref}/key", self._address, key, time.time()))
        if self._caller.by_info:
            self._request("INFO", "Content-Type: application/dtmf-relay", body=f"Signal={key}\r\nDuration=100\r\n")
            return
        offer = self.invite.body
        host = between(offer, "c=IN IP4 ", "\r\n")
        port = int(between(offer, "m=audio ", " "))
        self._phone.press(key, (host, port), EVENT)

    def _leave(self) -> None:
        if self._speaking and not self._over:
            octets = self._request("BYE")
            self._insist(octets, lambda: None)
            self._end(HUNG_UP)

    def _request(self, method: str, *more: str, body: str = "") -> bytes:
        """A request of ours: From and To are the other way round, the URI is the caller's Contact."""
        self._sequence += 1
        invite, caller = self.invite, self._caller
        octets = written(
            [
                f"{method} {between(invite.one('contact'), '<', '>')} SIP/2.0",
                f"Via: SIP/2.0/{caller.kind} {caller.host}:{caller.port};branch=z9hG4bK{secrets.token_hex(8)}",
                "Max-Forwards: 70",
                f"From: {invite.one('to')};tag={self._tag}",
                f"To: {invite.one('from')}",
                f"Call-ID: {self.ref}",
                f"CSeq: {self._sequence} {method}",
                *more,
            ],
            body,
        )
        self._caller.send(octets)
        return octets

    def _refuse(self, status: int, reason: str, why: str) -> None:
        self._insist(answer(self.invite, status, reason, self._tag), lambda: None)
        self._end(why)

    def _say(self, status: int, reason: str, *more: str) -> None:
        self._caller.send(answer(self.invite, status, reason, self._tag, *more))

    def _contact(self) -> str:
        return f"Contact: <sip:{self._address}@{self._caller.host}:{self._caller.port}>"

    def _insist(self, octets: bytes, silent: Callable[[], None]) -> None:
        """Say it until the caller answers for it."""
        self._caller.send(octets)
        self._later("give up", PATIENCE, silent)

        def again(pause: float) -> None:
            self._caller.send(octets)
            self._later("again", pause, again, min(2 * pause, LONGEST))

        if self._caller.kind == "UDP":
            self._later("again", FIRST, again, 2 * FIRST)

    def _end(self, how: str) -> None:
        """Write down what came of it."""
        if self._over:
            return
        self._over, self._speaking = True, False
        for name in ("ring", "lift", "leave", "press"):
            self._stop(name)
        phone, key = self._phone, self._pressed
        alert, ordinal, attempt = self._key
        good = how == HEARD or bool(key)
        row: ReceiptRow = (self.ref, alert, ordinal, attempt, good, "" if good else how)
        median, most, p99 = phone.unevenness() if phone is not None else (0.0, 0.0, 0.0)
        call = Called(
            time.time(), self._caller.account.name, self.ref, self._address, how, key,
            phone.seconds if phone is not None else 0.0, phone.sha256 if phone is not None else "",
            phone.missing if phone is not None else 0, median, most, p99,
        )  # fmt: skip
        self._caller.account.over(call, row)
        if phone is not None:
            phone.close()
        self._loop.call_later(LINGER, self._caller.forget, self)

    def _later(self, name: str, seconds: float, what: Callable[..., None], *arguments: float) -> None:
        self._stop(name)
        self._timers[name] = self._loop.call_later(seconds, what, *arguments)

    def _stop(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()


def _typed(body: str) -> tuple[str, ...]:
    return ("Content-Type: application/sdp",) if body else ()
