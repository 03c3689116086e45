"""What every voice gateway of ours asks of an address and a message: a number to ring, a file to play."""

from __future__ import annotations

import re

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.VOICE
MEDIA_TYPES = frozenset({"audio/wav", "audio/amr", "audio/mpeg", "audio/ogg"})
_MOBILE = r"1[3-9][0-9]{9}"
_LANDLINE = r"0(?:10|2[0-9])[0-9]{8}|0[3-9][0-9]{2}[0-9]{7,8}"  # trunk 0, area code, number
_NUMBER = re.compile(f"{_MOBILE}|{_LANDLINE}")


def address(text: str) -> str:
    """A mainland mobile or landline (with area code) as it is stored, digits only; `InputError` otherwise."""
    number = text.strip()
    if not _NUMBER.fullmatch(number):
        raise InputError(
            "语音外呼只能拨打大陆手机号或座机号。", remedy="手机 11 位；座机须带区号，只写数字，如 057488123456。"
        )
    return number


def check(message: Message) -> None:
    """`InputError` when the message cannot go out as a call."""
    if message.audio is None:
        raise InputError("语音外呼没有录音。", remedy="请先合成语音，再外呼。")
    if message.audio.media_type not in MEDIA_TYPES:
        raise InputError(
            f"语音外呼不支持 {message.audio.media_type} 录音。", remedy=f"可用：{'、'.join(sorted(MEDIA_TYPES))}。"
        )
    if message.audio.seconds <= 0:
        raise InputError("语音外呼的录音长度为零。", remedy="请重新合成语音。")
