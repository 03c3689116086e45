"""One account at Alibaba Cloud."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from itertools import count

import msgspec

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Envelope, Journal
from channels.cloud.aliyun import Signer, quoted
from channels.cloud.approval import require_approval
from channels.cloud.keyed import Keyed
from channels.cloud.meaning import meaning
from channels.http.driver import BATCH_MAX
from channels.http.exchange import Answer, Request
from channels.http.provider import Call, Now, Reading
from channels.redaction import redacted
from channels.sms.aliyun.codes import CODES, may_not
from channels.sms.aliyun.settings import AliyunOptions
from channels.sms.aliyun.wire import Sent, Template
from channels.sms.channel import address, check

NAME = "阿里云短信"
OK = "OK"
APPROVED = "1"
REMEMBERED = 2 * BATCH_MAX
"""Texts that have been checked and wait for their turn."""

_sent = msgspec.json.Decoder(Sent)
_template = msgspec.json.Decoder(Template)


class Aliyun(Keyed):
    """SendSms, one number for each request: every household's text is its own."""

    name = NAME

    def __init__(self, options: AliyunOptions, journal: Journal, now: Now) -> None:
        self._options = options
        self._wordings = options.wordings
        self._sign = quoted(options.sign)
        self._content = lru_cache(maxsize=REMEMBERED)(self._written)
        self._signer = Signer(
            options.access_key_id, options.access_key_secret, options.url.origin(), options.signed_host
        )
        self._journal = journal
        self._now = now
        self._nonces = secrets.token_hex(16)
        self._numbers = count()

    async def sign_in(self, call: Call) -> None:
        """Ask for each template: that proves the key, and that what will be sent is what was approved."""
        for code, written in self._options.templates.items():
            told = await call(self._operation("GetSmsTemplate", f"TemplateCode={quoted(code)}"))
            answer = told.read(_template)
            if may_not(answer.code, told.status):
                self._journal.note("!", "子账号无权查询模板（GetSmsTemplate），未核对模板内容")
                return
            if answer.code != OK:
                raise UnavailableError(
                    f"{NAME}：{meaning(CODES, answer.code).words}（{redacted(answer.code)}）。",
                    remedy="请核对网关的 access_key_id、access_key_secret、templates，以及账号的权限和余额。",
                )
            require_approval(
                NAME,
                code,
                approved=str(answer.template_status) == APPROVED,
                content=answer.template_content,
                written=written,
            )

    def check(self, envelope: Envelope) -> None:
        """A mainland number, and a text that one of the templates says."""
        address(envelope.address)
        check(envelope.message)
        self._content(envelope.message.text)

    def request(self, group: Sequence[Envelope]) -> Request:
        """SendSms; OutId is our key, which the status report gives back."""
        (envelope,) = group
        content = self._content(envelope.message.text)
        return self._operation("SendSms", f"OutId={envelope.key}&PhoneNumbers={envelope.address.strip()}{content}")

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        (envelope,) = group
        sent = answer.read(_sent)
        if sent.code == OK:
            return [Accepted(envelope.key, sent.biz_id)]
        return meaning(CODES, sent.code, answer.status).reading(envelope.key, sent.code)

    def _written(self, text: str) -> str:
        """The parameters that say `text`, from the signature on; `InputError` when no template says it."""
        fitted = self._wordings.fit(text)
        values = msgspec.json.encode(fitted.named).decode()
        return f"&SignName={self._sign}&TemplateCode={quoted(fitted.wording.code)}&TemplateParam={quoted(values)}"

    def _operation(self, action: str, query: str) -> Request:
        return self._signer.request(action, query, self._now(), f"{self._nonces}{next(self._numbers):x}")
