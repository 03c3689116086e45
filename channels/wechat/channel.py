"""What every WeChat gateway of ours asks of an address and a message.

An address says by its form which platform it belongs to: an openid is a follower of the official account (公众号),
`wecom:zhangsan` a member of the office's WeCom (企业微信), `group:xiaying` a WeCom group with a robot of ours in it.
"""

from __future__ import annotations

import re

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.WECHAT
_OPENID = re.compile(r"[A-Za-z0-9_-]{28}")
_MEMBER = re.compile(r"wecom:([A-Za-z0-9][A-Za-z0-9_.@-]{0,63})")
_GROUP = re.compile(r"group:([a-z0-9][a-z0-9_-]{0,39})")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def address(text: str) -> str:
    """An address of any of the platforms in its stored form; `InputError` otherwise, without the address in it."""
    written = text.strip()
    if written.startswith("wecom:"):
        return f"wecom:{member(written)}"
    if written.startswith("group:"):
        return f"group:{group(written)}"
    return openid(written)


def openid(text: str) -> str:
    """A follower's openid, 28 characters, case kept; `InputError` otherwise."""
    written = text.strip()
    if not _OPENID.fullmatch(written):
        raise InputError("微信地址不是 openid。", remedy="应为 28 位字母、数字、- 或 _（不是微信号，也不是昵称）。")
    return written


def member(text: str) -> str:
    """The UserID in `wecom:UserID`, in lower case: the platform does not tell case apart; `InputError` otherwise."""
    found = _MEMBER.fullmatch(text.strip())
    if found is None:
        raise InputError(
            "企业微信地址不合格。",
            remedy="应写作 wecom:成员账号，账号为 1 到 64 个字母、数字、_ - @ 或 .，以字母或数字开头。",
        )
    return found[1].lower()


def group(text: str) -> str:
    """The name in `group:name`, under which the gateway's settings have the robot's key; `InputError` otherwise."""
    found = _GROUP.fullmatch(text.strip())
    if found is None:
        raise InputError(
            "企业微信群地址不合格。", remedy="应写作 group:名称，名称为网关 groups 里的键，小写字母、数字、- 和 _。"
        )
    return found[1]


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
    check_link(message)


def check_link(message: Message) -> None:
    """`InputError` when the message's link is none."""
    if message.url and not message.url.startswith(("https://", "http://")):
        raise InputError("微信消息的链接不是网址。", remedy="应以 https:// 开头。")
