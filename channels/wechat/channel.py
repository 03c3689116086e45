"""What every WeChat gateway of ours asks of an address and a message: a follower's openid, a template's values."""

from __future__ import annotations

import re

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.WECHAT
_OPENID = re.compile(r"[A-Za-z0-9_-]{28}")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def address(text: str) -> str:
    """A follower's openid, 28 characters, case kept; `InputError` otherwise."""
    openid = text.strip()
    if not _OPENID.fullmatch(openid):
        raise InputError("微信地址不是 openid。", remedy="应为 28 位字母、数字、- 或 _（不是微信号，也不是昵称）。")
    return openid


def check(message: Message) -> None:
    """`InputError` when the message cannot go out as a template message."""
    if not message.fields:
        raise InputError("微信模板消息没有内容。", remedy="请检查微信模板。")
    for name, value in message.fields.items():
        if not _FIELD.fullmatch(name):
            raise InputError(
                f"微信模板字段名 {name!r} 不合格。", remedy="应以字母开头，只含字母、数字和 _，如 thing1。"
            )
        if not value.strip():
            raise InputError(f"微信模板字段 {name} 为空。", remedy="请检查微信模板；平台会拒收空字段。")
    if message.url and not message.url.startswith(("https://", "http://")):
        raise InputError("微信消息的链接不是网址。", remedy="应以 https:// 开头。")
