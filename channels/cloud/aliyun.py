"""Requests to Alibaba Cloud's RPC interfaces, signed by ACS3-HMAC-SHA256.

Source: the provider's "V3 request structure and signature".
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

from yarl import URL

from channels.http.exchange import Request

TAKEN = '{"code":0,"msg":"接收成功"}'.encode()
"""The answer to what the provider calls us with."""

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"
EMPTY = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
_OCTETS = [quote(bytes([octet]), safe="") for octet in range(256)]


class Signer:
    """An access key, and the endpoint and host that it signs for."""

    def __init__(self, key_id: str, secret: str, endpoint: URL, host: str) -> None:
        self._key_id = key_id
        self._mac = hmac.new(secret.encode(), digestmod="sha256")
        self._endpoint = endpoint
        self._host = host
        self._date = (0, "")

    def request(self, action: str, query: str, now: datetime, nonce: str, version: str = VERSION) -> Request:
        """The operation with an empty body and its parameters in `query`: names in the order of the alphabet, values
        `quoted`. `now` must be within 15 minutes of the provider's clock, `nonce` must be new."""
        date = self._written(now)
        headers = {
            "host": self._host,
            "x-acs-action": action,
            "x-acs-content-sha256": EMPTY,
            "x-acs-date": date,
            "x-acs-signature-nonce": nonce,
            "x-acs-version": version,
            "Authorization": self._authorization(action, query, date, nonce, version),
        }
        where = self._endpoint
        url = URL.build(
            scheme=where.scheme, host=where.host or "", port=where.port, path="/", query_string=query, encoded=True
        )
        return Request(action, url, headers)

    def _authorization(self, action: str, query: str, date: str, nonce: str, version: str) -> str:
        canonical = (
            f"POST\n/\n{query}\n"
            f"host:{self._host}\nx-acs-action:{action}\nx-acs-content-sha256:{EMPTY}\nx-acs-date:{date}\n"
            f"x-acs-signature-nonce:{nonce}\nx-acs-version:{version}\n"
            f"\n{SIGNED}\n{EMPTY}"
        )
        mac = self._mac.copy()
        mac.update(f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}".encode())
        return f"{ALGORITHM} Credential={self._key_id},SignedHeaders={SIGNED},Signature={mac.hexdigest()}"

    def _written(self, now: datetime) -> str:
        """ISO 8601 in UTC, to the second; written once a second."""
        second = int(now.timestamp())
        if second != self._date[0]:
            self._date = (second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self._date[1]


def quoted(text: str) -> str:
    """RFC 3986: every octet but letters, digits and "-_.~" as %XX."""
    return "".join(map(_OCTETS.__getitem__, text.encode()))
