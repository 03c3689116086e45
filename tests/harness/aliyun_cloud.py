"""阿里云短信 as its documents describe it: SendSms and GetSmsTemplate of 2017-05-25, signed by ACS3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

from tests.harness.cloud import BAD_NUMBER, MOST_AT_ONCE, Cloud

KEY_ID = "LTAI5tExampleKeyId"
SECRET = "ExampleSecretOfThirtyCharacters"
SIGN = "某某县应急"
TEMPLATE = "SMS_154950909"
CONTENT = "${title}。${issued}发布，涉及${place}。请立即${action}，详情见 https://warn.example.org/r/${code}"
LONGEST_VARIABLE = 35
WINDOW = 15 * 60
_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
REQUIRED = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}


def signature(secret: str, method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str], names: str,
              hashed: str) -> str:  # fmt: skip
    """The signature of a request; `query` decoded, `names` the signed headers joined by ";"."""
    ordered = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    canonical = "\n".join(
        [
            method,
            path,
            "&".join("=".join(pair) for pair in ordered),
            "\n".join(f"{name}:{headers[name].strip()}" for name in names.split(";")),
            "",
            names,
            hashed,
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), "sha256").hexdigest()


class AliyunCloud(Cloud):
    def __init__(self) -> None:
        super().__init__()
        self.templates = {TEMPLATE: (CONTENT, True)}
        self.nonces: set[str] = set()

    def verify(self, request: web.Request, body: bytes) -> web.Response | None:
        code = next(self.faults(request, body), None)
        return None if code is None else self.refused(code, 404 if code.endswith(".NotFound") else 400)

    def faults(self, request: web.Request, body: bytes) -> Iterator[str]:
        match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            yield "IncompleteSignature"
            return
        key_id, names, shown = match.groups()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if key_id != KEY_ID:
            yield "InvalidAccessKeyId.NotFound"
        if not set(names.split(";")) >= REQUIRED or names.split(";") != sorted(names.split(";")):
            yield "IncompleteSignature"
        hashed = hashlib.sha256(body).hexdigest()
        query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        expected = signature(SECRET, request.method, request.rel_url.raw_path, query, headers, names, hashed)
        if headers["x-acs-content-sha256"] != hashed or not hmac.compare_digest(shown, expected):
            yield "SignatureDoesNotMatch"
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        if abs(time.time() - at) > WINDOW:
            yield "InvalidTimeStamp.Expired"
        if headers["x-acs-signature-nonce"] in self.nonces:
            yield "SignatureNonceUsed"
        self.nonces.add(headers["x-acs-signature-nonce"])
        if headers["x-acs-version"] != "2017-05-25":
            yield "InvalidVersion"

    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        given = {**request.query, **dict(parse_qsl(body.decode()))}
        match request.headers["x-acs-action"]:
            case "SendSms":
                instead = await self.treated(request)
                return instead or await self.send(request, given)
            case "GetSmsTemplate":
                return self.template(given)
        return self.refused("InvalidAction.NotFound", 404)

    async def send(self, request: web.Request, given: Mapping[str, str]) -> web.StreamResponse:
        number = given.get("PhoneNumbers", "")
        content, _ = self.templates.get(given.get("TemplateCode", ""), ("", False))
        values = json.loads(given.get("TemplateParam", "{}"))
        code = next(self.objections(number, given, values), None)
        if code is not None:
            return self.refused(code, 200, f"refused for {number}")
        text = _VARIABLE.sub(lambda match: str(values[match[1]]), content)
        serial = self.take(given.get("OutId", ""), number, f"【{SIGN}】{text}")
        return await self.answered(
            request, web.json_response({"Message": "OK", "RequestId": "F655", "Code": "OK", "BizId": serial})
        )

    def objections(self, number: str, given: Mapping[str, str], values: Mapping[str, str]) -> Iterator[str]:
        if not re.fullmatch(r"1[3-9]\d{9}", number) or number == BAD_NUMBER:
            yield "isv.MOBILE_NUMBER_ILLEGAL"
        if given.get("SignName") != SIGN:
            yield "isv.SMS_SIGNATURE_ILLEGAL"
        content, approved = self.templates.get(given.get("TemplateCode", ""), ("", False))
        if not approved:
            yield "isv.SMS_TEMPLATE_ILLEGAL"
        if not set(_VARIABLE.findall(content)) <= set(values):
            yield "isv.TEMPLATE_MISSING_PARAMETERS"
        if any(len(value) > LONGEST_VARIABLE for value in values.values()):
            yield "isv.PARAM_LENGTH_LIMIT"
        if any("://" in value for value in values.values()):
            yield "isv.PARAM_NOT_SUPPORT_URL"

    def template(self, given: Mapping[str, str]) -> web.Response:
        if self.mood["mood"] == "not looking":
            return self.refused("NoPermission", 403)
        found = self.templates.get(given["TemplateCode"])
        if found is None:
            return self.refused("isv.SMS_TEMPLATE_ILLEGAL", 200)
        content, approved = found
        return web.json_response(
            {
                "Code": "OK",
                "Message": "OK",
                "RequestId": "0A97",
                "TemplateCode": given["TemplateCode"],
                "TemplateContent": content,
                "TemplateStatus": "1" if approved else "2",
                "TemplateType": "1",
                "CreateDate": "2026-01-01 00:00:00",
            }
        )

    def throttled(self) -> web.Response:
        return self.refused("Throttling.User", 400)

    def refused(self, code: str, status: int, message: str = "refused") -> web.Response:
        return web.json_response({"RequestId": "CEF7", "Code": code, "Message": message}, status=status)

    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        now = _beijing()
        return {
            "phone_number": taken["number"],
            "send_time": now,
            "report_time": now,
            "success": not code,
            "err_code": code or "DELIVERED",
            "err_msg": f"失败 {taken['number']}" if code else "用户接收成功",
            "sms_size": "1",
            "biz_id": serial,
            "out_id": taken["key"],
        }

    def reply(self, number: str, text: str, serial: str) -> dict[str, Any]:
        return {
            "phone_number": number,
            "content": text,
            "send_time": _beijing(),
            "dest_code": "1234",
            "sequence_id": int(serial),
        }

    def bodies(self, waiting: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], Any]]:
        reports = {name: one["report"] for name, one in waiting.items() if "report" in one}
        replies = {name: one["reply"] for name, one in waiting.items() if "reply" in one}
        return [(list(kind)[:MOST_AT_ONCE], list(kind.values())[:MOST_AT_ONCE]) for kind in (reports, replies) if kind]

    def acknowledged(self, answer: Any) -> bool:
        return isinstance(answer["code"], int)


def _beijing() -> str:
    return (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")


def make() -> Cloud:
    return AliyunCloud()
