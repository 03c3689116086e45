"""WeChat's way of calling (公众号 and 企业微信, 消息加解密说明): notices in XML, signed, and sealed for one owner.

key = base64(EncodingAESKey and "="); AES-256-CBC, IV the key's first 16 octets; padded to blocks of 32 as PKCS#7 says;
in it 16 octets of chance, the length (4, big endian), the notice, the appid or corpid. Written from the documents,
apart from the driver.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree

HEAD = 20
"""Octets in front of the notice."""

Notice: TypeAlias = Mapping[str, "str | int"]
Called: TypeAlias = tuple[dict[str, str], bytes]
"""The query and the body of a call."""


class SealError(ValueError):
    """An answer that the platform cannot read."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """As one account has it set: `aes_key` "" is 明文模式; `owner` its appid or corpid; `both`: the query has the
    signature of 明文模式 as well, as the official account's platform writes it."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    owner: str
    both: bool

    def call(self, notice: Notice, to: Mapping[str, str | int], at: int) -> Called:
        """How `notice` goes out at `at` (Unix seconds); `to` are the elements that stand beside what is sealed."""
        moment, nonce = str(at), os.urandom(8).hex()
        query = {"timestamp": moment, "nonce": nonce}
        if self.both:
            query["signature"] = _sign(self.token, moment, nonce)
        if not self.aes_key:
            return query, xml(notice)
        sealed = self._close(xml(notice))
        query["msg_signature"] = _sign(self.token, moment, nonce, sealed)
        if self.both:
            query["encrypt_type"] = "aes"
        return query, xml({**to, "Encrypt": sealed})

    def open(self, answer: bytes) -> dict[str, str]:
        """The elements of an answer in XML; SealError when it is none, or not signed and sealed as notices are."""
        outer = texts(answer)
        if not self.aes_key:
            return outer
        sealed = outer.get("Encrypt", "")
        signature = _sign(self.token, outer.get("TimeStamp", ""), outer.get("Nonce", ""), sealed)
        if not hmac.compare_digest(signature.encode(), outer.get("MsgSignature", "").encode()):
            raise SealError("the answer's signature is wrong")
        return texts(self._open(sealed))

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))

    def _close(self, content: bytes) -> str:
        padder = PKCS7(32 * 8).padder()
        inside = os.urandom(16) + len(content).to_bytes(4) + content + self.owner.encode()
        padded = padder.update(inside) + padder.finalize()
        cipher = self._cipher().encryptor()
        return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()

    def _open(self, sealed: str) -> bytes:
        cipher, unpadder = self._cipher().decryptor(), PKCS7(32 * 8).unpadder()
        try:
            padded = cipher.update(base64.b64decode(sealed, validate=True)) + cipher.finalize()
            inside = unpadder.update(padded) + unpadder.finalize()
        except ValueError as problem:
            raise SealError("the answer is not sealed with the key") from problem
        end = HEAD + int.from_bytes(inside[16:HEAD])
        if inside[end:] != self.owner.encode():
            raise SealError("the answer is sealed for somebody else")
        return inside[HEAD:end]


def xml(elements: Notice) -> bytes:
    """A notice as the platforms write it: numbers bare, texts as CDATA."""
    inner = "".join(f"<{name}>{_written(value)}</{name}>" for name, value in elements.items())
    return f"<xml>{inner}</xml>".encode()


def texts(document: bytes) -> dict[str, str]:
    """The texts of the root's elements; of those with elements in them all text. SealError for what is no XML."""
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise SealError("the answer is no XML") from problem
    return {str(one.tag): "".join(map(str, one.itertext())) for one in root}


def _written(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _sign(*parts: str) -> str:
    return sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
