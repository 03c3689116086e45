"""Who signs for us: a key of this program, or a cipher device that keeps the key to itself.

A device has no wire protocol that all makers share: they come with a library of their own, whose call for platforms
signs octets with the key of a slot. What stands between that library and us is a program of a few lines at the
device, which is called over HTTP:

    POST <device>            Content-Type: application/json
    {"certSN": "…12 digits…", "algorithm": "SM2-SM3", "id": "1234567812345678", "data": "…base64…"}

    200                      {"signature": "…base64 of r and s, 64 octets…"}

Anything else is a refusal; the answer must come within `SECONDS`.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
from dataclasses import dataclass
from typing import ClassVar, Protocol

import msgspec
from yarl import URL

from broadcaster.errors import UnavailableError
from channels.loudspeaker.signing.sm2 import ID, WIDTH, PrivateKey

SECONDS = 5.0
LARGEST = 4096
"""Octets of a device's answer."""


class Signer(Protocol):
    """Signs octets; may block, so it is called beside the event loop. Safe in several threads."""

    at_a_time: ClassVar[int]
    """Threads that it is worth calling it from."""

    def sign(self, data: bytes) -> bytes:
        """r and s, 64 octets; `UnavailableError` when it cannot be done now."""
        ...


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A key of this program."""

    at_a_time: ClassVar[int] = 1
    key: PrivateKey

    def sign(self, data: bytes) -> bytes:
        """As `Signer.sign`."""
        return self.key.sign(data)


class _Signed(msgspec.Struct, frozen=True):
    signature: str


@dataclass(frozen=True, slots=True)
class DeviceSigner:
    """A cipher device, by the program before it; `serial` of the certificate whose key signs."""

    at_a_time: ClassVar[int] = 8
    url: URL
    serial: str

    def sign(self, data: bytes) -> bytes:
        """As `Signer.sign`."""
        wanted = {"certSN": self.serial, "algorithm": "SM2-SM3", "id": ID.decode()}
        body = json.dumps({**wanted, "data": base64.b64encode(data).decode()}).encode()
        try:
            signature = self._ask(body)
        except (OSError, http.client.HTTPException, msgspec.MsgspecError, binascii.Error, ValueError) as problem:
            raise UnavailableError(
                f"密码机 {self.url.origin()} 没有给出签名：{type(problem).__name__}。",
                remedy="请检查密码机及其签名接口程序；恢复前，播发不会发出。",
            ) from problem
        if len(signature) != 2 * WIDTH:
            raise UnavailableError(
                f"密码机 {self.url.origin()} 给出的签名是 {len(signature)} 字节。",
                remedy="签名接口应返回 r 和 s 共 64 字节。",
            )
        return signature

    def _ask(self, body: bytes) -> bytes:
        connection = http.client.HTTPConnection(self.url.host or "", self.url.port or 80, timeout=SECONDS)
        try:
            connection.request("POST", self.url.raw_path_qs, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read(LARGEST)
            if answer.status != 200:
                raise ValueError(answer.status)
            return base64.b64decode(msgspec.json.decode(said, type=_Signed).signature, validate=True)
        finally:
            connection.close()
