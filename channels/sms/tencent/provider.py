"""One account at Tencent Cloud."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Envelope, Journal
from channels.cloud.approval import require_approval
from channels.cloud.keyed import Keyed
from channels.cloud.meaning import meaning
from channels.http.driver import BATCH_MAX
from channels.http.exchange import Answer, NonsenseError, Request
from channels.http.provider import Call, Now, Reading
from channels.redaction import redacted
from channels.sms.channel import address, check
from channels.sms.tencent.codes import CODES, NOT_ALLOWED
from channels.sms.tencent.settings import TencentOptions
from channels.sms.tencent.wire import Body, Look, Response, Send, Signer

NAME = "腾讯云短信"
OK = "Ok"
APPROVED = 0
_body = msgspec.json.Decoder(Body)


class Tencent(Keyed):
    """SendSms, one number for each request: every household's text is its own."""

    name = NAME

    def __init__(self, options: TencentOptions, journal: Journal, now: Now) -> None:
        self._options = options
        self._fit = lru_cache(maxsize=2 * BATCH_MAX)(options.wordings.fit)
        self._endpoint = options.url.origin() / ""
        self._order = {
            one.code: [one.names.index(name) for name in sorted(one.names, key=int)]
            for one in options.wordings.templates
        }
        self._signer = Signer(options.secret_id, options.secret_key, options.signed_host)
        self._journal = journal
        self._now = now

    async def sign_in(self, call: Call) -> None:
        """Ask for all templates: that proves the key, and that what will be sent is what was approved."""
        codes = [int(code) for code in self._options.templates]
        answer = (await call(self._operation("DescribeSmsTemplateList", Look(codes)))).read(_body).response
        if answer.error is not None:
            self._look_refused(answer.error.code)
            return
        known = {str(template.template_id): template for template in answer.describe_template_status_set}
        for code, written in self._options.templates.items():
            found = known.get(code)
            require_approval(
                NAME,
                code,
                approved=found is not None and found.status_code == APPROVED,
                content=found.template_content if found is not None else "",
                written=written,
            )

    def check(self, envelope: Envelope) -> None:
        """A mainland number, and a text that one of the templates says."""
        address(envelope.address)
        check(envelope.message)
        self._fit(envelope.message.text)

    def request(self, group: Sequence[Envelope]) -> Request:
        """SendSms; SessionContext is our key."""
        (envelope,) = group
        fitted = self._fit(envelope.message.text)
        values = [fitted.values[place] for place in self._order[fitted.wording.code]]
        number = f"+86{envelope.address.strip()}"
        options = self._options
        return self._operation(
            "SendSms",
            Send([number], options.app_id, options.sign, fitted.wording.code, values, str(envelope.key)),
        )

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        (envelope,) = group
        response = answer.read(_body).response
        if response.error is not None:
            code = response.error.code
            return meaning(CODES, code, answer.status).reading(envelope.key, code)
        return self._status(envelope, response)

    def _status(self, envelope: Envelope, response: Response) -> Reading:
        if len(response.send_status_set) != 1:
            raise NonsenseError(f"答复说的是 {len(response.send_status_set)} 个号码，问的是 1 个")
        (status,) = response.send_status_set
        if status.session_context not in ("", str(envelope.key)):
            raise NonsenseError("答复说的是另一条短信")
        if status.code == OK:
            return [Accepted(envelope.key, status.serial_no)]
        return meaning(CODES, status.code).reading(envelope.key, status.code)

    def _look_refused(self, code: str) -> None:
        """Raises `UnavailableError`, unless only the question was not allowed: an account may be for sending alone."""
        if code in NOT_ALLOWED:
            self._journal.note("!", "账号无权查询模板（DescribeSmsTemplateList），未核对模板内容")
            return
        raise UnavailableError(
            f"{NAME}：{meaning(CODES, code).words}（{redacted(code)}）。",
            remedy="请核对网关的 secret_id、secret_key、app_id、templates，以及账号的权限和余额。",
        )

    def _operation(self, action: str, parameters: Send | Look) -> Request:
        body = msgspec.json.encode(parameters)
        return self._signer.request(self._endpoint, action, body, self._now(), self._options.region)
