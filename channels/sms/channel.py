"""What every SMS gateway of ours asks of an address and a message. Parts are counted where texts are made."""

from __future__ import annotations

import re

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.SMS
_MOBILE = re.compile(r"1[3-9][0-9]{9}")  # 公众移动电话网编号: 11 digits, the first three name the network


def address(text: str) -> str:
    """A mainland mobile number as it is stored, 11 digits; `InputError` otherwise, without the number in it."""
    number = text.strip()
    if not _MOBILE.fullmatch(number):
        raise InputError("短信只能发到大陆手机号。", remedy="应为 11 位数字，以 13 至 19 开头。")
    return number


def check(message: Message) -> None:
    """`InputError` when the message cannot go out as an SMS."""
    if not message.text.strip():
        raise InputError("短信没有正文。", remedy="请检查短信模板。")
    if "\0" in message.text:
        raise InputError("短信正文含有空字符。", remedy="请检查短信模板。")
