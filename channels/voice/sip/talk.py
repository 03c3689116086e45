"""A call that was answered: what is said and heard, until somebody hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from channels.voice.sip.agent import Agent
from channels.voice.sip.dialog import Dialog
from channels.voice.sip.header import party
from channels.voice.sip.identity import ALLOW
from channels.voice.sip.info import key_of
from channels.voice.sip.media.media import Media
from channels.voice.sip.media.speech import Speech
from channels.voice.sip.message import Header, Request, Response
from channels.voice.sip.proof import Proof
from channels.voice.sip.refresh import Refresh
from channels.voice.sip.repeat import Repeat
from channels.voice.sip.sdp import SdpError, read
from channels.voice.sip.terms import Ending, Order, Rules

FLUSH = 0.5
"""Seconds of silence behind the last word: the other end has not played yet what it has."""

NOT_HEARD_OUT = "未听完"
HELD = "对方一直保持通话"
SDP = "application/sdp"


class Talk:
    """`told` gets the ending, once; `pressed` each key; `over` is called when nothing more is to be said or heard.

    `keys`: how many were pressed.
    """

    def __init__(
        self,
        agent: Agent,
        dialog: Dialog,
        media: Media,
        offer: bytes,
        order: Order,
        rules: Rules,
        told: Callable[[Ending], None],
        pressed: Callable[[str], None],
        over: Callable[[], None],
    ) -> None:
        self._agent = agent
        self._dialog = dialog
        self._media = media
        self._offer = offer
        self._rules = rules
        self._told = told
        self._pressed = pressed
        self._over = over
        self._whole = order.recording.seconds
        self._speech = Speech(
            order.recording,
            repeats=rules.repeats,
            pause=rules.pause,
            tail=FLUSH + (rules.key if order.envelope.message.answer else 0.0),
        )
        self._refresh = Refresh(agent.timers, self._renew, self._stale)
        self._repeat: Repeat | None = None
        self._acknowledged: Request | None = None
        self._speaking = True
        self.keys = 0

    def begin(self, response: Response) -> None:
        """Say that we know that it was answered, and speak."""
        self._acknowledge(response)
        try:
            session = read(response.body)
        except SdpError as problem:
            self.end(f"对方的媒体不可用：{problem}")
            return
        self._refresh.agreed(response)
        self._media.begin(session, self._speech, self._said)

    def key(self, key: str) -> None:
        """A key was pressed."""
        if not self._speaking:
            return
        if key in self._rules.again:
            self._speech.again()
            return
        self.keys += 1
        self._pressed(key)
        if key in self._rules.final:
            self.end("")

    def end(self, reason: str) -> None:
        """Hang up; `reason` is why, where it was not heard out. It is over when the good-bye was heard, or was not."""
        if self._speaking:
            self._stop(reason)
            self._bye(self._dialog, self._over)

    def cut(self, reason: str) -> None:
        """The way is gone: it is over."""
        if self._speaking:
            self._stop(reason)
        self._over()

    def asked(self, request: Request) -> Response | None:
        """What the other end asks."""
        dialog = self._dialog
        number, method = request.sequence
        if party(request.first("from")).tag != dialog.tag:
            return None if method == "ACK" else self._agent.refuse(request)
        if method == "ACK":
            if self._repeat is not None:
                self._repeat.acknowledged(number)
            return None
        if number <= dialog.heard:
            return self._agent.answer(request, 500, "Out Of Order")
        dialog.heard = number
        does = {"BYE": self._left, "INFO": self._told_key, "INVITE": self._changed, "UPDATE": self._changed}
        return does.get(method, self._agent.refuse)(request)

    def accepted_again(self, response: Response, invite: Request) -> None:
        """Our ACK was lost, or a second phone was lifted, which is told good-bye."""
        known = self._acknowledged
        if party(response.first("to")).tag == self._dialog.tag:
            if known is not None and response.sequence[0] == known.sequence[0]:
                self._agent.say(known)
            return
        other = Dialog.of(self._agent.identity, invite, response)
        self._agent.say(other.acknowledge(response))
        self._bye(other, lambda: None)

    def _bye(self, dialog: Dialog, over: Callable[[], None]) -> None:
        """Say good-bye, also to a trunk that wants to know who says so."""
        proof = Proof(self._rules.user, self._rules.password)

        def heard(response: Response) -> None:
            shown = proof.header(response, "BYE", dialog.target)
            if shown is None:
                over()
            else:
                self._agent.ask(dialog.request("BYE", extra=(shown,)), heard, over)

        self._agent.ask(dialog.request("BYE"), heard, over)

    def _acknowledge(self, response: Response) -> None:
        self._acknowledged = self._dialog.acknowledge(response)
        self._agent.say(self._acknowledged)

    def _said(self) -> None:
        """Everything was said and waited for, or could not be: the other end has held the call too long."""
        self.end("" if self._speech.over else HELD)

    def _stop(self, reason: str) -> None:
        """Say nothing more; what it comes to is told."""
        self._speaking = False
        self._media.close()
        self._refresh.stop()
        if self._repeat is not None:
            self._repeat.stop()
        if self._speech.told or self.keys:
            self._told(Ending(good=True, reason=""))
            return
        words = f"{NOT_HEARD_OUT}（听了 {self._speech.heard:.1f} 秒，共 {self._whole:.1f} 秒）"
        self._told(Ending(good=False, reason=f"{words}：{reason}" if reason else words))

    def _left(self, request: Request) -> Response:
        if self._speaking:
            self._stop("")
            self._over()
        return self._agent.answer(request, 200, "OK")

    def _told_key(self, request: Request) -> Response:
        if key := key_of(request):
            asyncio.get_running_loop().call_soon(self.key, key)
        return self._agent.answer(request, 200, "OK")

    def _changed(self, request: Request) -> Response:
        """It moves, holds, or only says that it is still there: what we say and hear stays what it was."""
        if not self._speaking or (self._repeat is not None and self._repeat.waiting):
            return self._agent.answer(request, 491, "Request Pending")
        extra: tuple[Header, ...] = (("contact", self._agent.identity.contact), ("allow", ALLOW))
        extra += self._refresh.asked(request)
        body = b""
        if request.body or request.method == "INVITE":
            try:
                if request.body:
                    self._media.follow(read(request.body))
            except SdpError:
                return self._agent.answer(request, 488, "Not Acceptable Here")
            body, extra = self._offer, (*extra, ("content-type", SDP))
        response = self._agent.answer(request, 200, "OK", extra=extra, body=body)
        if request.method == "INVITE":
            self._repeat = Repeat(self._agent, response, self._stale)
        return response

    def _renew(self, method: str, extra: tuple[Header, ...]) -> None:
        """Say that we are still there, so that nobody takes the call for dead."""
        dialog, proof = self._dialog, Proof(self._rules.user, self._rules.password)
        extra = (*extra, ("contact", self._agent.identity.contact), ("supported", "timer"))

        def heard(response: Response) -> None:
            shown = proof.header(response, method, dialog.target)
            if shown is None:
                self._renewed(response)
            elif self._speaking:
                say((*extra, shown))

        def say(headers: tuple[Header, ...]) -> None:
            if method == "UPDATE":
                self._agent.ask(dialog.request("UPDATE", extra=headers), heard, self._stale)
            else:
                again = dialog.request("INVITE", extra=(*headers, ("content-type", SDP)), body=self._offer)
                self._agent.invite(again, heard, self._stale)

        say(extra)

    def _renewed(self, response: Response) -> None:
        if 200 <= response.status < 300:
            if response.sequence[1] == "INVITE":
                self._acknowledge(response)
            if self._speaking:
                self._refresh.agreed(response)
        elif response.status in {408, 481}:
            self._stale()

    def _stale(self) -> None:
        """The other end has forgotten the call, or is gone."""
        self.end("对方无应答")
