"""One account at Alibaba Cloud's Voice Messaging Service."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from itertools import count

import msgspec

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Accepted, Envelope, Journal
from channels.cloud.aliyun import Signer, quoted
from channels.cloud.keyed import Keyed
from channels.cloud.keys import shortened
from channels.cloud.meaning import Kind, meaning
from channels.cloud.wording import Fitted
from channels.http.driver import BATCH_MAX
from channels.http.exchange import Answer, Request
from channels.http.provider import Call, Now, Reading
from channels.redaction import redacted
from channels.sms.aliyun.codes import may_not
from channels.voice.aliyun_vms.codes import CODES
from channels.voice.aliyun_vms.settings import VmsOptions
from channels.voice.aliyun_vms.wire import Called
from channels.voice.channel import address

NAME = "阿里云语音"
OK = "OK"
NOBODY = "CallId=0%5E0&ProdId=11000000300006&QueryDate={0}"
"""Asks about a call that never was, as a voice notification: that reaches nobody and proves the key."""

OUT_ID = 15
"""Octets that the provider has room for (IvrCall, VoiceSingleCall; not said for SingleCallByTts)."""

ASKED_KEYS = "19"
"""Keys that may be pressed: it is understood, and help is needed."""

_called = msgspec.json.Decoder(Called)


class AliyunVms(Keyed):
    """SingleCallByTts, or IvrCall where keys are collected; one number for each request."""

    name = NAME

    def __init__(self, options: VmsOptions, journal: Journal, now: Now) -> None:
        self._options = options
        self._fit = lru_cache(maxsize=2 * BATCH_MAX)(options.wordings.fit)
        self._signer = Signer(
            options.access_key_id, options.access_key_secret, options.url.origin(), options.signed_host
        )
        self._journal = journal
        self._now = now
        self._nonces = secrets.token_hex(16)
        self._numbers = count()

    async def sign_in(self, call: Call) -> None:
        """Ask about a call that never was: that proves the key. Templates cannot be looked up by this interface."""
        moment = int(self._now().timestamp() * 1000)
        told = await call(self._operation("QueryCallDetailByCallId", NOBODY.format(moment)))
        answer = told.read(_called)
        if may_not(answer.code, told.status):
            self._journal.note("!", "子账号无权查询通话（QueryCallDetailByCallId），未核对密钥")
            return
        found = meaning(CODES, answer.code, told.status)
        if answer.code != OK and found.kind in (Kind.HALT, Kind.UNCERTAIN):
            raise UnavailableError(
                f"{NAME}：{found.words}（{redacted(answer.code)}）。",
                remedy="请核对网关的 access_key_id、access_key_secret，以及账号的权限和余额。",
            )

    def check(self, envelope: Envelope) -> None:
        """A mainland number, and a text that one of the templates says; the recording stays here: the provider speaks
        for itself."""
        address(envelope.address)
        if not envelope.message.text.strip():
            raise InputError("语音文字为空。")
        self._fitted(envelope)

    def request(self, group: Sequence[Envelope]) -> Request:
        """The call; OutId is our key, which the report gives back."""
        (envelope,) = group
        options, fitted = self._options, self._fitted(envelope)
        given = {"CalledNumber": envelope.address.strip(), "PlayTimes": str(options.repeats)}
        if options.caller:
            given["CalledShowNumber"] = options.caller
        if out_id := shortened(envelope.key, OUT_ID):
            given["OutId"] = out_id
        values = msgspec.json.encode(fitted.named).decode()
        if options.keys is None or not envelope.message.answer:
            given |= {"TtsCode": fitted.wording.code, "TtsParam": values}
            return self._operation("SingleCallByTts", _query(given))
        given |= {"StartCode": fitted.wording.code, "StartTtsParams": values}
        given["Timeout"] = str(round(options.key_wait * 1000))
        for place, key in enumerate(ASKED_KEYS, 1):
            given |= {f"MenuKeyMap.{place}.Key": key, f"MenuKeyMap.{place}.Code": options.keys}
        return self._operation("IvrCall", _query(given))

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        (envelope,) = group
        called = answer.read(_called)
        if called.code == OK:
            return [Accepted(envelope.key, called.call_id)]
        return meaning(CODES, called.code, answer.status).reading(envelope.key, called.code)

    def _fitted(self, envelope: Envelope) -> Fitted:
        """The template that says the text, lines joined; `InputError` when there is none."""
        return self._fit("".join(envelope.message.text.split("\n")))

    def _operation(self, action: str, query: str) -> Request:
        return self._signer.request(action, query, self._now(), f"{self._nonces}{next(self._numbers):x}")


def _query(given: dict[str, str]) -> str:
    """Parameters in the order of the alphabet, as the signature wants them."""
    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in sorted(given.items()))
