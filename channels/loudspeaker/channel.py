"""What every loudspeaker platform of ours asks of an address and a message: a terminal, a file to play.

Terminals of the emergency broadcast system carry a resource code of 23 digits (GY/T 386-2023; 18 digits in the
provisional GD/J 084-2018, still in the field). Other speakers are named as their own driver wants it.
"""

from __future__ import annotations

import re

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.LOUDSPEAKER
MEDIA_TYPES = frozenset({"audio/mpeg", "audio/wav", "audio/ogg", "audio/amr"})
LONGEST = 200
_RESOURCE_CODE = re.compile(r"[1-6][0-9]{22}|[0-9]{18}")  # level 1 (country) to 6 (village), then area, type, number
_OWN_NAME = re.compile(r"[!-~]+")


def address(text: str) -> str:
    """A terminal's resource code, or its driver's own name or URL (printable ASCII); `InputError` otherwise."""
    name = text.strip()
    if not _OWN_NAME.fullmatch(name) or len(name) > LONGEST:
        raise InputError(
            "大喇叭终端地址不合格。", remedy=f"应为资源编码，或至多 {LONGEST} 个字符的名称、网址，不含空格和汉字。"
        )
    if name.isdigit() and len(name) >= 18 and not _RESOURCE_CODE.fullmatch(name):
        raise InputError(
            f"大喇叭终端资源编码 {len(name)} 位，不合格。",
            remedy="应为 23 位数字、以级别 1 至 6 开头（2018 版为 18 位）。",
        )
    return name


def check(message: Message) -> None:
    """`InputError` when the message cannot be played."""
    if message.audio is None:
        raise InputError("大喇叭广播没有音频。", remedy="请先合成语音，再播发。")
    if message.audio.media_type not in MEDIA_TYPES:
        raise InputError(
            f"大喇叭不支持 {message.audio.media_type} 音频。", remedy=f"可用：{'、'.join(sorted(MEDIA_TYPES))}。"
        )
    if message.audio.seconds <= 0:
        raise InputError("大喇叭广播的音频长度为零。", remedy="请重新合成语音。")
