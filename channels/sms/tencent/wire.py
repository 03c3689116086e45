"""Requests to Tencent Cloud's interfaces (API 3.0), signed by TC3-HMAC-SHA256, and the shapes of the answers.

Source: the provider's "签名方法 v3", and the operations SendSms and DescribeSmsTemplateList.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from yarl import URL

from channels.http.exchange import Request

ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json; charset=utf-8"
SIGNED = "content-type;host;x-tc-action"
VERSION = "2021-01-11"


class Send(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """The operation SendSms. `session_context`: ours, given back with the answer, below 512 octets."""

    phone_number_set: Sequence[str]
    sms_sdk_app_id: str
    sign_name: str
    template_id: str
    template_param_set: Sequence[str]
    session_context: str


class Look(msgspec.Struct, frozen=True, rename="pascal"):
    """The operation DescribeSmsTemplateList; `international` 0: mainland."""

    template_id_set: Sequence[int]
    international: int = 0


class Fault(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    code: str
    message: str = ""


class Status(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """What became of one number; `code` "Ok" when it was taken, `serial_no` is the provider's id."""

    code: str
    serial_no: str = ""
    session_context: str = ""
    message: str = ""


class Template(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """`status_code` 0 when it is approved."""

    template_id: int | str
    status_code: int
    template_content: str = ""


class Response(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    error: Fault | None = None
    send_status_set: tuple[Status, ...] = ()
    describe_template_status_set: tuple[Template, ...] = ()


class Body(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """Every answer."""

    response: Response


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and the host that it signs for; `service` is the first part of the provider's own name for itself."""

    key_id: str
    secret: str = field(repr=False)
    host: str
    service: str = "sms"

    def request(
        self, endpoint: URL, action: str, body: bytes, now: datetime, region: str, version: str = VERSION
    ) -> Request:
        """The operation with its parameters as JSON. `now` must be within 5 minutes of the provider's clock."""
        headers = {
            "Host": self.host,
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": action,
            "X-TC-Version": version,
            "X-TC-Timestamp": str(int(now.timestamp())),
            "X-TC-Region": region,
            "Authorization": self._authorization(action, body, now.astimezone(UTC)),
        }
        return Request(action, endpoint, headers, body)

    def _authorization(self, action: str, body: bytes, now: datetime) -> str:
        lines = f"content-type:{CONTENT_TYPE}\nhost:{self.host}\nx-tc-action:{action.lower()}\n"
        canonical = f"POST\n/\n\n{lines}\n{SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        date = now.date().isoformat()
        scope = f"{date}/{self.service}/tc3_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"{ALGORITHM}\n{int(now.timestamp())}\n{scope}\n{hashed}"
        signature = hmac.digest(_key(self.secret, date, self.service), to_sign.encode(), "sha256").hex()
        return f"{ALGORITHM} Credential={self.key_id}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"


@lru_cache(maxsize=16)
def _key(secret: str, date: str, service: str) -> bytes:
    """What signs on one day."""
    key = f"TC3{secret}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
