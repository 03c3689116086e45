"""Who may come in: the signature over token, time and nonce, not older than five minutes; sealed where a key is set.

A gateway with an EncodingAESKey takes nothing that is not sealed: whoever learned the token alone gets nothing in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from broadcaster.errors import InputError, UnauthenticatedError
from channels.http.provider import Now, utc_now
from channels.wechat.callback.notice import Notice, Texts, moment, write
from channels.wechat.callback.seal import REMEDY, Seal

FRESH = timedelta(minutes=5)
"""How far the time of a signed request may lie from ours: an older one is somebody's recording."""

LONGEST_ECHO = 1024


class Door(Protocol):
    """How a platform's callbacks are authenticated, and how it is answered."""

    def echo(self, query: Mapping[str, str]) -> bytes:
        """The answer to the platform's test of our address; raises as `notice`."""
        ...

    def notice(self, query: Mapping[str, str], body: bytes) -> Notice:
        """What the platform says; `UnauthenticatedError` when it is not the platform, `InputError` for nonsense."""
        ...

    def answer(self, texts: Texts) -> bytes:
        """An answer in XML, sealed where notices are."""
        ...


D = TypeVar("D", bound=Door)


def opened(door: D | None) -> D:
    """The door; `UnauthenticatedError` for a gateway that has none, because it takes no calls."""
    if door is None:
        raise UnauthenticatedError("本网关不接收回调。", remedy="请在网关设置里填写 token 和 aes_key。")
    return door


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """明文模式 of the official account: signed without what it says, so only as good as the secrecy of the token."""

    token: str = field(repr=False)
    now: Now = utc_now

    def echo(self, query: Mapping[str, str]) -> bytes:
        """As `Door.echo`; the platform tests an official account's address in this way in every mode."""
        self._signed(query)
        return query["echostr"][:LONGEST_ECHO].encode("utf-8", "replace")

    def notice(self, query: Mapping[str, str], body: bytes) -> Notice:
        """As `Door.notice`."""
        self._signed(query)
        return Notice.read(body)

    def answer(self, texts: Texts) -> bytes:
        """As `Door.answer`."""
        return write(texts)

    def _signed(self, query: Mapping[str, str]) -> None:
        time, nonce = query.get("timestamp", ""), query.get("nonce", "")
        _check(query.get("signature", ""), self.token, time, nonce)
        _fresh(time, self.now())


@dataclass(frozen=True, slots=True)
class SealedDoor:
    """安全模式 and 兼容模式 of the official account, of which only the sealed half is read; WeCom always."""

    token: str = field(repr=False)
    seal: Seal
    now: Now = utc_now

    def echo(self, query: Mapping[str, str]) -> bytes:
        """As `Door.echo`, where that is sealed too (WeCom)."""
        return self._opened(query, query["echostr"])[:LONGEST_ECHO]

    def notice(self, query: Mapping[str, str], body: bytes) -> Notice:
        """As `Door.notice`."""
        sealed = Notice.read(body)["Encrypt"]
        if not sealed:
            raise UnauthenticatedError("微信回调没有加密。", remedy=REMEDY)
        return Notice.read(self._opened(query, sealed))

    def answer(self, texts: Texts) -> bytes:
        """As `Door.answer`."""
        sealed = self.seal.close(write(texts))
        time, nonce = str(int(self.now().timestamp())), secrets.token_hex(8)
        signature = sign(self.token, time, nonce, sealed)
        return write({"Encrypt": sealed, "MsgSignature": signature, "TimeStamp": time, "Nonce": nonce})

    def _opened(self, query: Mapping[str, str], sealed: str) -> bytes:
        time, nonce = query.get("timestamp", ""), query.get("nonce", "")
        _check(query.get("msg_signature", ""), self.token, time, nonce, sealed)
        _fresh(time, self.now())
        return self.seal.open(sealed)


def sign(token: str, *parts: str) -> str:
    """SHA-1 in hex over the token and `parts`, sorted and joined: the platforms' rule, whatever one thinks of it."""
    joined = "".join(sorted((token, *parts)))
    return hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _check(signature: str, token: str, *parts: str) -> None:
    if not hmac.compare_digest(sign(token, *parts).encode(), signature.encode("utf-8", "replace")):
        raise UnauthenticatedError("微信回调的签名不对。", remedy=REMEDY)


def _fresh(time: str, now: datetime) -> None:
    try:
        age = abs(now - moment(time))
    except InputError as problem:
        raise UnauthenticatedError(problem.what, remedy=problem.remedy) from problem
    if age > FRESH:
        raise UnauthenticatedError(
            "微信回调的时间与本机相差超过 5 分钟。", remedy="请核对本机时钟；若时钟无误，这是被重放的旧请求。"
        )
