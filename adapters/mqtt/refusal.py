"""What a broker says when it does not take a message (MQTT 5, 2.4), in words."""

from __future__ import annotations

from typing import Any

from broadcaster.outlets import NotTold

REFUSED = 0x80
"""From here on a reason code is a refusal; below it, also where nobody has subscribed, it is consent."""

TOO_LARGE = 0x95
_UNFIT = frozenset({TOO_LARGE, 0x99})
"""Said of the message itself: it must not hold up those after it."""

_OF_ALL = frozenset({0x84, 0x85, 0x86, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8E, *range(0x96, 0x99), *range(0x9A, 0xA0)})
"""Said of us, of the broker, or of now. What else it says to a message may be of that message alone."""

_OF_TOPIC = frozenset({0x87, 0x90})
"""Of the message where topics differ from one to the next."""

WORDS = {
    0x81: "对方说报文格式不对",
    0x82: "对方说不合协议",
    0x83: "对方内部的原因",
    0x84: "不支持这个协议版本",
    0x85: "客户端标识不被接受",
    0x86: "用户名或口令不对",
    0x87: "没有权限发布到这个主题，或用户名、口令不对",
    0x88: "对方暂时不可用",
    0x89: "对方太忙",
    0x8A: "已被对方封禁",
    0x8B: "对方正在关闭",
    0x8C: "认证方式不对",
    0x8E: "连接被同名的另一个连接取代",
    0x90: "主题不被接受",
    TOO_LARGE: "消息太大",
    0x96: "发得太快",
    0x97: "超出了配额",
    0x98: "被对方的管理员断开",
    0x99: "内容格式不被接受",
    0x9A: "不支持保留消息",
    0x9B: "不支持 QoS 1",
    0x9C: "请改用另一个服务器",
    0x9D: "服务器已经搬走",
    0x9F: "连接得太频繁",
}
"""By reason code; those that are never said of publishing are not among them."""


def refusal(code: Any, *, sent: bool, topics: bool) -> NotTold:
    """Why it was not taken; `code` as the library has it, a number or a name with one. `sent`: it was said when the
    message had been sent; `topics`: they differ from one message to the next."""
    number = getattr(code, "value", code)
    unfit = sent and number not in _OF_ALL and (topics or number not in _OF_TOPIC)
    if number in WORDS:
        return NotTold(f"MQTT 代理没有收下：{WORDS[number]}", final=number in _UNFIT, unfit=unfit)
    return NotTold(f"MQTT 代理没有收下（{code}）", unfit=unfit)
