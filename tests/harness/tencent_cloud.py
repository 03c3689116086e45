"""腾讯云短信 by its documents: SendSms and DescribeSmsTemplateList of 2021-01-11, signed by TC3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.harness.cloud import BAD_NUMBER, MOST_AT_ONCE, Cloud

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
APP_ID = "1400006666"
SIGN = "某某县应急"
TEMPLATE = "1110"
CONTENT = "{1}。{2}发布，涉及{3}。请立即{4}，详情见 https://warn.example.org/r/{5}"
WINDOW = 5 * 60
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/([a-z]+)/tc3_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
_VARIABLE = re.compile(r"\{(\d+)\}")


def signature(
    secret: str, service: str, at: int, method: str, query: str, headers: Mapping[str, str], names: str, body: bytes
) -> str:
    """The signature of a request to "/"; `names` the signed headers joined by ";"."""
    signed = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names.split(";"))
    canonical = "\n".join([method, "/", query, signed, names, hashlib.sha256(body).hexdigest()])
    date = datetime.fromtimestamp(at, UTC).date().isoformat()
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["TC3-HMAC-SHA256", str(at), f"{date}/{service}/tc3_request", digest])

    return step_by_step(secret, date, service, to_sign)


def step_by_step(secret: str, date: str, service: str, to_sign: str) -> str:
    """The signature of what is to be signed."""

    def step(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), "sha256").digest()

    key = step(step(step(b"TC3" + secret.encode(), date), service), "tc3_request")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


class TencentCloud(Cloud):
    def __init__(self) -> None:
        super().__init__()
        self.templates = {TEMPLATE: (CONTENT, True)}

    def verify(self, request: web.Request, body: bytes) -> web.Response | None:
        code = next(self.faults(request, body), None)
        return None if code is None else self.refused(code)

    def faults(self, request: web.Request, body: bytes) -> Iterator[str]:
        match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            yield "AuthFailure.InvalidAuthorization"
            return
        secret_id, date, service, names, shown = match.groups()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if secret_id != SECRET_ID:
            yield "AuthFailure.SecretIdNotFound"
        at = int(headers.get("x-tc-timestamp", "0"))
        if abs(time.time() - at) > WINDOW or date != datetime.fromtimestamp(at, UTC).date().isoformat():
            yield "AuthFailure.SignatureExpire"
        if not set(names.split(";")) >= {"content-type", "host"} or service != "sms":
            yield "AuthFailure.InvalidAuthorization"
        query = request.rel_url.raw_query_string
        expected = signature(SECRET_KEY, service, at, request.method, query, headers, names, body)
        if not hmac.compare_digest(shown, expected):
            yield "AuthFailure.SignatureFailure"
        if headers.get("x-tc-version") != "2021-01-11":
            yield "NoSuchVersion"

    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        given = json.loads(body)
        match request.headers.get("X-TC-Action"):
            case "SendSms":
                instead = await self.treated(request)
                return instead or await self.send(request, given)
            case "DescribeSmsTemplateList":
                return self.look(given)
        return self.refused("InvalidAction")

    async def send(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        if given["SmsSdkAppId"] != APP_ID:
            return self.refused("InvalidParameterValue.SdkAppIdNotExist")
        statuses = [self.one(number, given) for number in given["PhoneNumberSet"]]
        answer = _response({"SendStatusSet": statuses})
        return await self.answered(request, answer) if any(one["Code"] == "Ok" for one in statuses) else answer

    def one(self, number: str, given: dict[str, Any]) -> dict[str, Any]:
        content, approved = self.templates.get(given["TemplateId"], ("", False))
        values = given.get("TemplateParamSet", [])
        code, serial = "Ok", ""
        if not re.fullmatch(r"\+861[3-9]\d{9}", number) or number.endswith(BAD_NUMBER):
            code = "InvalidParameterValue.IncorrectPhoneNumber"
        elif given["SignName"] != SIGN:
            code = "FailedOperation.SignatureIncorrectOrUnapproved"
        elif not approved or len(values) != len(_VARIABLE.findall(content)):
            code = "FailedOperation.TemplateIncorrectOrUnapproved"
        elif any("://" in value for value in values):
            code = "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        else:
            text = _VARIABLE.sub(lambda match: values[int(match[1]) - 1], content)
            serial = self.take(given.get("SessionContext", ""), number[3:], f"【{SIGN}】{text}")
        return {
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": int(code == "Ok"),
            "SessionContext": given.get("SessionContext", ""),
            "Code": code,
            "Message": "send success" if code == "Ok" else f"refused for {number}",
            "IsoCode": "CN",
        }

    def look(self, given: dict[str, Any]) -> web.Response:
        if self.mood["mood"] == "not looking":
            return self.refused("AuthFailure.UnauthorizedOperation")
        found = [
            {
                "TemplateId": code,
                "International": 0,
                "StatusCode": 0 if self.templates[str(code)][1] else 1,
                "ReviewReply": "",
                "TemplateName": "预警",
                "CreateTime": 1617379200,
                "TemplateContent": self.templates[str(code)][0],
            }
            for code in given["TemplateIdSet"]
            if str(code) in self.templates
        ]
        return _response({"DescribeTemplateStatusSet": found})

    def throttled(self) -> web.Response:
        return self.refused("RequestLimitExceeded")

    def refused(self, code: str, status: int = 200) -> web.Response:
        return _response({"Error": {"Code": code, "Message": "refused"}}, status)

    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        return {
            "user_receive_time": (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S"),
            "nationcode": "86",
            "mobile": taken["number"],
            "report_status": "FAIL" if code else "SUCCESS",
            "errmsg": code or "DELIVRD",
            "description": f"失败 {taken['number']}" if code else "用户短信送达成功",
            "sid": serial,
        }

    def reply(self, number: str, text: str, serial: str) -> dict[str, Any]:
        return {
            "extend": "",
            "mobile": number,
            "nationcode": "86",
            "sign": SIGN,
            "text": text,
            "time": int(time.time()),
        }

    def say(self, number: str, text: str) -> str:
        super().say(number, text)
        return ""

    def bodies(self, waiting: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], Any]]:
        reports = {name: one["report"] for name, one in waiting.items() if "report" in one}
        bodies: list[tuple[list[str], Any]] = [
            ([name], one["reply"]) for name, one in waiting.items() if "reply" in one
        ]
        if reports:
            bodies.append((list(reports)[:MOST_AT_ONCE], list(reports.values())[:MOST_AT_ONCE]))
        return bodies

    def acknowledged(self, answer: Any) -> bool:
        return bool(answer["result"] == 0)


def _response(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response({"Response": {**content, "RequestId": "a0aabda6"}}, status=status)


def make() -> Cloud:
    return TencentCloud()
