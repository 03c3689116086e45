"""Whoever calls the rehearsal's exchange, from one address over one way: what it says, and what is answered."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fates import draw, repeatable
from broadcaster.rehearsal.fronts.front import FrontError
from broadcaster.rehearsal.fronts.line import words
from broadcaster.rehearsal.fronts.ringing import Ringing
from broadcaster.rehearsal.fronts.sip_words import Said, answer, hear
from broadcaster.rehearsal.logbook import Lost, SignedIn

if TYPE_CHECKING:
    from broadcaster.rehearsal.fronts.sip import Exchange

REALM = "rehearsal"
GARBAGE = b"HTTP/1.1 502 Bad Gateway\r\n\r\n\xff\xfe\x00"
STATUSES = {
    "占线": 486, "busy": 486, "拒接": 603, "declined": 603, "关机": 480, "unreachable": 480, "空号": 404,
    "无人接听": 0, "no answer": 0,
}  # fmt: skip
"""What the script's reasons are in SIP; 0: it rings until the caller gives up."""

FAR = 10 * 365 * 86_400
"""Calls have no end of their validity: seconds from now."""

RETRY = 1
REMEMBERED = 10_000
_KEY = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,4})-")
_FIELD = re.compile(r"([a-z]+)=(?:\"([^\"]*)\"|([^,\s]*))")


class Caller:
    """Whoever calls from one address, over one way."""

    def __init__(self, exchange: Exchange, number: int, kind: str, write: Callable[[bytes], None],
                 end: Callable[[], None]) -> None:  # fmt: skip
        self.number = number
        self.kind = kind
        self.host, self.port = exchange.host, exchange.port
        self.by_info = exchange.settings.by_info
        self._exchange = exchange
        self._write = write
        self._end = end
        self._account: Account | None = None
        self._mute = False
        self._calls: dict[str, Ringing] = {}
        self._answered: dict[str, bytes] = {}
        self._random = repeatable(f"{exchange.stage.script.seed}/sip/{number}")

    @property
    def account(self) -> Account:
        if self._account is None:
            raise RuntimeError("Nobody has signed in.")
        return self._account

    def send(self, octets: bytes) -> None:
        if not self._mute:
            self._write(octets)

    def take(self, octets: bytes) -> None:
        """A message has come."""
        if self._mute or not octets.strip(b"\r\n\0"):
            return
        try:
            said = hear(octets)
        except FrontError:
            if self._account is not None:
                self._account.protocol_error()
            return
        call = self._calls.get(said.one("call-id"))
        if said.is_answer:
            if call is not None:
                call.heard_answer(said)
        elif call is not None and (said.method != "INVITE" or ";tag=" in said.one("to")):
            call.hear(said)
        elif said.method == "INVITE" and call is not None:
            pass  # the same INVITE again: it was answered, or soon is
        elif said.method != "ACK":
            self._first(said)

    def cut(self, reason: str) -> None:
        """The way is gone: nothing is heard and said any more."""
        self._mute = True
        for call in list(self._calls.values()):
            call.stop()
        account, self._account = self._account, None
        if account is not None:
            unanswered = len(self._calls)
            account.leave(self, unanswered, reason)
            self._exchange.stage.logbook.write(Lost(time.time(), account.name, self.number, unanswered, reason))
        self._calls.clear()
        self._end()

    def forget(self, call: Ringing) -> None:
        """Nothing of it will come any more."""
        call.stop()
        self._calls.pop(call.ref, None)

    def _first(self, said: Said) -> None:
        """What belongs to no call yet."""
        if (known := self._answered.get(said.branch)) is not None:
            self.send(known)
            return
        refusal = self._admit(said)
        if self._mute:
            return
        if refusal:
            self._answer(said, refusal)
        elif said.method == "INVITE":
            self._rings(said)
        elif said.method == "OPTIONS":
            self._answer(
                said, answer(said, 200, "OK", secrets.token_hex(4), "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS")
            )
        elif said.method == "REGISTER":
            contact = f"Contact: {said.one('contact')};expires={said.one('expires') or '600'}"
            self._answer(said, answer(said, 200, "OK", secrets.token_hex(4), contact))
        else:
            self._answer(said, answer(said, 481, "Call/Transaction Does Not Exist", secrets.token_hex(4)))

    def _answer(self, said: Said, octets: bytes) -> None:
        if len(self._answered) > REMEMBERED:
            self._answered.clear()
        self._answered[said.branch] = octets
        self.send(octets)

    def _admit(self, said: Said) -> bytes:
        """The refusal, empty when the caller is let in."""
        asks = said.method in {"INVITE", "REGISTER"}
        fields = credentials(said)
        name = fields.get("username") or said.caller
        challenged = self._exchange.challenges(name)
        if challenged and asks and not self._exchange.proved(fields, said.method, self._exchange.stage.password(name)):
            return self._challenge(said)
        if self._account is None and (asks or not challenged):
            return self._sign_in(said, name)
        return b""

    def _sign_in(self, said: Said, name: str) -> bytes:
        account, why = self._exchange.stage.admit(name, Medium.VOICE, "sip", lambda _: True, words)
        if account is None:
            return answer(said, 403, "Forbidden", secrets.token_hex(4), f'Warning: 399 rehearsal "{why}"')
        if self._random.random() < account.behaviour.faults.hang:
            self._mute = True
            return b""
        self._account = account
        account.join(self)
        self._exchange.stage.logbook.write(SignedIn(time.time(), account.name, Medium.VOICE.value, self.number))
        return b""

    def _challenge(self, said: Said) -> bytes:
        proxy = said.method == "INVITE"
        status, header = (407, "Proxy-Authenticate") if proxy else (401, "WWW-Authenticate")
        nonce = self._exchange.nonce()
        asked = f'{header}: Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
        return answer(said, status, "Prove It", secrets.token_hex(4), asked)

    def _rings(self, said: Said) -> None:
        account, script = self.account, self._exchange.stage.script
        faults, chance = account.behaviour.faults, self._random.random
        found = _KEY.match(said.one("call-id"))
        key = (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)
        address, ref = said.user, said.one("call-id")
        is_cut = bool(faults.cut) and chance() < faults.cut
        if is_cut and chance() >= faults.cut_taken:
            self.cut("cut by the script")
            return
        traits, refusal, busy = account.ring((*key, address, 0, time.time() + FAR, 0, ref), self)
        if is_cut:
            self.cut("cut by the script")
        elif busy:
            self._answer(said, answer(said, 503, "Service Unavailable", secrets.token_hex(4), f"Retry-After: {RETRY}"))
        elif refusal:
            self._answer(said, answer(said, status_of(refusal, 404), "Refused", secrets.token_hex(4)))
        else:
            if faults.garbage and chance() < faults.garbage:
                self.send(GARBAGE)
            call = Ringing(self, said, key, address, self._exchange.plan(account, address, traits))
            self._calls[ref] = call
            if faults.half_open and chance() < faults.half_open:
                self.cut("half-open by the script")
                return
            call.ring(draw(self._random, account.behaviour.answer) * script.pace)


def credentials(said: Said) -> dict[str, str]:
    """The fields of Authorization."""
    shown = said.one("proxy-authorization") or said.one("authorization")
    return {name: quoted or plain for name, quoted, plain in _FIELD.findall(shown)}


def status_of(reason: str, otherwise: int) -> int:
    """A reason of the script as a status: itself where it is one, `otherwise` where it is not known."""
    if reason.isdecimal() and 300 <= int(reason) < 700:
        return int(reason)
    return STATUSES.get(reason, otherwise)
