"""One call: from the INVITE until it is answered, or is not; then it is a talk."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from broadcaster.ports import Accepted, Deferred, Outcome, Rejected, Unknown
from channels.voice.sip.agent import Agent
from channels.voice.sip.dialog import Dialog, cancelled
from channels.voice.sip.identity import ALLOW, new_tag
from channels.voice.sip.media.media import Media
from channels.voice.sip.message import Header, Request, Response, request
from channels.voice.sip.proof import Proof
from channels.voice.sip.sdp import offer
from channels.voice.sip.talk import SDP, Talk
from channels.voice.sip.terms import Ending, Order, Rules
from channels.voice.sip.timing import Timer
from channels.voice.sip.transaction import InviteTransaction
from channels.voice.sip.verdict import NO_ANSWER, Kind, Verdict, verdict

LOST_AFTER = 2.0
"""Seconds until what could not be placed is tried again."""

Told = Callable[["Call", Ending], None]
Pressed = Callable[["Call", str], None]
OpenMedia = Callable[[Callable[[str], None]], Media]
"""Opens the sound of a call; what it is given hears each key. OSError when no port is free."""


class Call:
    """`outcome` resolves as soon as the trunk has taken the call, or has not; `over` when its line is free again.
    `told` gets the ending of a call that was taken, once; `pressed` each key."""

    def __init__(
        self, agent: Agent, order: Order, rules: Rules, media: OpenMedia, told: Told, pressed: Pressed
    ) -> None:
        self.order = order
        self.call_id = f"{order.key}-{secrets.token_hex(8)}@{agent.identity.host}"
        loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self._agent = agent
        self._rules = rules
        self._told = told
        self._pressed = pressed
        self._sender = f"<{agent.identity.address}>;tag={new_tag()}"
        self._uri = agent.identity.number(order.dialled)
        self._sequence = 0
        self._proof = Proof(rules.user, rules.password)
        self._transaction: InviteTransaction | None = None
        self._talk: Talk | None = None
        self._why_cancelled: Verdict | None = None
        self._recalled = False
        self.doubted = False
        self._cancel_sent = False
        self._settling: Timer | None = None
        self._ring: Timer | None = None
        self._ended = False
        self._media = media(self._key)
        self._offer = offer(agent.identity.host, self._media.port, secrets.randbits(31))

    @property
    def keys(self) -> int:
        """How many keys were pressed."""
        return self._talk.keys if self._talk is not None else 0

    def begin(self) -> None:
        """Send the INVITE."""
        self._agent.enrol(self.call_id, self)
        self._invite(())

    def recall(self, reason: str) -> None:
        """End it, whatever it does: what rings is cancelled, what speaks is ended."""
        self._recalled = True
        if self._talk is not None:
            self._talk.end(reason)
        else:
            self._cancel(Verdict(Kind.UNANSWERED, reason))

    def cut(self, reason: str) -> None:
        """The way to the trunk is gone: nobody will ever say what came of this call."""
        if not self.outcome.done():
            self.outcome.set_result(Unknown(self.order.key, reason))
        if self._talk is not None:
            self._talk.cut(reason)
        else:
            self._failed(reason)

    def asked(self, request: Request) -> Response | None:
        """A request within this call."""
        if self._talk is not None:
            return self._talk.asked(request)
        return None if request.method == "ACK" else self._agent.refuse(request)

    def accepted_again(self, response: Response) -> None:
        """A response that accepts has come once more, or from another phone."""
        if self._talk is not None and self._transaction is not None:
            self._talk.accepted_again(response, self._transaction.request)

    def _invite(self, extra: tuple[Header, ...]) -> None:
        self._sequence += 1
        identity = self._agent.identity
        headers = identity.common(self.call_id, self._sender, f"<{self._uri}>", self._sequence, "INVITE")
        headers += [
            ("contact", identity.contact),
            ("allow", ALLOW),
            ("supported", "timer"),
            *extra,
            ("content-type", SDP),
        ]
        made = request("INVITE", self._uri, headers, self._offer)
        self._transaction = self._agent.invite(made, self._heard, self._silence)

    def _heard(self, response: Response) -> None:
        if response.status < 200:
            self._ringing(response)
        elif response.status < 300:
            self._answered(response)
        elif self._why_cancelled is None and (shown := self._proof.header(response, "INVITE", self._uri)) is not None:
            self._invite((shown,))
        else:
            self._refused(response)

    def _ringing(self, response: Response) -> None:
        """Early media are not listened to: it is the network that speaks there."""
        timers, rules = self._agent.timers, self._rules
        if self._ring is None:
            self._ring = timers.call_later(rules.ring, self._nobody)
        if self._why_cancelled is not None:
            self._send_cancel()
        elif response.status > 100:
            self._take()
        elif self._settling is None:
            self._settling = timers.call_later(rules.settle, self._take)

    def _take(self) -> None:
        """The trunk has the call."""
        if not self.outcome.done():
            self.outcome.set_result(Accepted(self.order.key, self.call_id))

    def _nobody(self) -> None:
        self._cancel(NO_ANSWER)

    def _cancel(self, why: Verdict) -> None:
        if self._why_cancelled is None:
            self._why_cancelled = why
            if self._transaction is not None and self._transaction.answered:
                self._send_cancel()

    def _send_cancel(self) -> None:
        transaction = self._transaction
        if transaction is not None and not self._cancel_sent:
            self._cancel_sent = True
            self._agent.ask(cancelled(transaction.request), lambda _: None, lambda: None)
            transaction.expire(self._agent.patience.answer)

    def _answered(self, response: Response) -> None:
        """Somebody has lifted the receiver: also where we had just given up, but not where it was recalled."""
        self._take()
        self._stop_timers()
        self._agent.journal.note("←", f"{self.order.key} 已接听")
        if self._transaction is None:
            raise RuntimeError("A call is answered that was not placed.")
        dialog = Dialog.of(self._agent.identity, self._transaction.request, response)
        self._talk = Talk(
            self._agent,
            dialog,
            self._media,
            self._offer,
            self.order,
            self._rules,
            told=self._end,
            pressed=self._told_key,
            over=self._free,
        )
        self._talk.begin(response)
        if self._recalled and self._why_cancelled is not None:
            self._talk.end(self._why_cancelled.words)

    def _refused(self, response: Response) -> None:
        key, found = self.order.key, verdict(response, self._rules.congestion)
        if self._why_cancelled is not None and found.kind is not Kind.IMPOSSIBLE:
            found = self._why_cancelled
        if not self.outcome.done():
            match found.kind:
                case Kind.CONGESTED | Kind.UNFIT | Kind.DOUBTFUL:
                    self.doubted = found.kind is Kind.DOUBTFUL
                    self.outcome.set_result(Deferred(key, found.words, found.after))
                case Kind.IMPOSSIBLE:
                    self.outcome.set_result(Rejected(key, found.words))
                case Kind.UNANSWERED:
                    self._take()
        self._failed(found.words)

    def _silence(self) -> None:
        """Neither the trunk nor anybody behind it has answered."""
        why = "中继没有应答" if self._why_cancelled is None else self._why_cancelled.words
        if not self.outcome.done():
            self.outcome.set_result(Unknown(self.order.key, why))
        self._failed(why)

    def _key(self, key: str) -> None:
        if self._talk is not None:
            self._talk.key(key)

    def _told_key(self, key: str) -> None:
        self._pressed(self, key)

    def _failed(self, reason: str) -> None:
        """Nobody was spoken to."""
        self._end(Ending(good=False, reason=reason))
        self._free()

    def _end(self, ending: Ending) -> None:
        """What came of it; the first word counts. A call that was not taken has its outcome, and no ending."""
        if not self._ended:
            self._ended = True
            if self.outcome.done() and isinstance(self.outcome.result(), Accepted):
                self._told(self, ending)

    def _free(self) -> None:
        """Its line is free."""
        self._stop_timers()
        self._media.close()
        self._agent.dismiss(self.call_id)
        if not self.over.done():
            self.over.set_result(None)

    def _stop_timers(self) -> None:
        for timer in (self._settling, self._ring):
            if timer is not None:
                timer.cancel()
