"""A provider's callback, authenticated by a token in its address: `/callbacks/<gateway>?token=…`."""

from __future__ import annotations

import hmac
from typing import TypeVar

import msgspec

from broadcaster.errors import InputError, UnauthenticatedError

Shape = TypeVar("Shape")


def require_token(shown: str, expected: str | None, option: str) -> None:
    """`UnauthenticatedError` unless `shown` is what the gateway's `option` says; without one nobody is let in."""
    if expected is None or not hmac.compare_digest(shown.encode(errors="replace"), expected.encode()):
        raise UnauthenticatedError("回调的令牌不对。", remedy=f"请核对服务商处登记的回调地址与网关的 {option}。")


def read_json(body: bytes, decoder: msgspec.json.Decoder[Shape]) -> Shape:
    """The body as JSON of the expected shape; `InputError`, without the content, otherwise."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise InputError(
            "回调内容不是所约定的 JSON。", remedy="请核对服务商处登记的回调种类：状态报告或上行短信。"
        ) from problem
