"""Reply tokens: what stands in the address of a reply page, `/r/{token}`.

A token names one delivery of an alert, or one person asked by one unit, until an expiry. It is signed (HMAC-SHA256,
cut to 128 bits, RFC 2104 section 5), so that nobody can answer for somebody else by counting upwards, and short (32
characters up to alert 4,095 and delivery 2,097,151) because it costs characters of a text message.

    payload   varint(alert × 4 + kind), varint of each further number, 3 bytes expiry in ten minutes since 2020
    token     base64url(payload ‖ signature), without padding
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from broadcaster.errors import NotFoundError, RuleError

SIGNATURE_BYTES = 16
LONGEST_TOKEN = 64
"""Characters; anything longer is not one of ours."""

_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=10)
_EXPIRY_BYTES = 3
_LATEST = 256**_EXPIRY_BYTES - 1
_DELIVERY, _ASKED = 0, 1


@dataclass(frozen=True, slots=True)
class DeliverySubject:
    """Whoever got this delivery."""

    alert_id: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class AskedSubject:
    """This person, asked by this unit."""

    alert_id: int
    unit_id: int
    person_id: int


Subject = DeliverySubject | AskedSubject


class TokenSigner:
    """Makes and reads tokens with one secret; whoever has the same secret reads the same tokens."""

    def __init__(self, secret: str | bytes) -> None:
        material = secret.encode() if isinstance(secret, str) else secret
        if not material:
            raise ValueError("A secret is not empty.")
        self._key = hmac.digest(material, b"daohu reply token 1", sha256)

    def deliveries(self, alert_id: int, expires: datetime) -> Callable[[int], str]:
        """A function from the ordinals of an alert's deliveries to their tokens, for couriers that need many."""
        head = _varint(alert_id * 4 + _DELIVERY)
        tail = _expiry(expires)
        key, digest, encode = self._key, hmac.digest, urlsafe_b64encode

        def token(ordinal: int) -> str:
            payload = head + _varint(ordinal) + tail
            return encode(payload + digest(key, payload, "sha256")[:SIGNATURE_BYTES]).rstrip(b"=").decode("ascii")

        return token

    def token(self, subject: Subject, expires: datetime) -> str:
        """The token of one subject; it is good until `expires`, rounded up to ten minutes."""
        if isinstance(subject, DeliverySubject):
            return self.deliveries(subject.alert_id, expires)(subject.ordinal)
        numbers = _varint(subject.unit_id) + _varint(subject.person_id)
        payload = _varint(subject.alert_id * 4 + _ASKED) + numbers + _expiry(expires)
        return urlsafe_b64encode(payload + self._sign(payload)).rstrip(b"=").decode("ascii")

    def read(self, token: str, now: datetime) -> Subject:
        """The subject of a token. `NotFoundError` when it is not ours or was damaged, `RuleError` when it is too late."""
        payload = self._verified(token)
        expiry = _SINCE + int.from_bytes(payload[-_EXPIRY_BYTES:], "big") * _STEP
        subject = _subject(payload[:-_EXPIRY_BYTES])
        if now >= expiry:
            raise RuleError("这个链接已经过期。", remedy="预警已经结束，无需再确认；如需帮助请拨打值班电话。")
        return subject

    def _verified(self, token: str) -> bytes:
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _unknown()
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (Base64Error, ValueError) as error:
            raise _unknown() from error
        payload, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        canonical = urlsafe_b64encode(raw).rstrip(b"=") == token.encode("ascii")
        if not hmac.compare_digest(self._sign(payload), signature) or not canonical:
            raise _unknown()
        return payload

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:SIGNATURE_BYTES]


def _unknown() -> NotFoundError:
    return NotFoundError("这个链接不完整或不正确。", remedy="请从短信中完整地点开链接，或直接回复短信。")


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the top bit set on all but the last (Protocol Buffers, varint)."""
    if number < 128:
        return number.to_bytes(1, "big")
    if number < 16384:
        return bytes((number & 127 | 128, number >> 7))
    if number < 2097152:
        return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14))
    return bytes((number & 127 | 128,)) + _varint(number >> 7)


def _expiry(moment: datetime) -> bytes:
    steps = -((_SINCE - moment) // _STEP)
    return min(max(steps, 0), _LATEST).to_bytes(_EXPIRY_BYTES, "big")


def _subject(numbers: bytes) -> Subject:
    """The subject in a payload that we signed ourselves."""
    values: list[int] = []
    value = shift = 0
    for byte in numbers:
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            values.append(value)
            value = shift = 0
    alert_id, kind = divmod(values[0], 4)
    if kind == _DELIVERY:
        return DeliverySubject(alert_id, values[1])
    return AskedSubject(alert_id, values[1], values[2])
