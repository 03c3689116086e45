"""The shapes of Alibaba Cloud's answers to the operations SendSms and GetSmsTemplate."""

from __future__ import annotations

import msgspec


class Sent(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """The answer to SendSms, and every refusal; `code` "OK" when the message was taken, `biz_id` is its receipt."""

    code: str
    message: str = ""
    biz_id: str = ""


class Template(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """The answer to GetSmsTemplate; `template_status` "1" when it is approved."""

    code: str
    message: str = ""
    template_status: str | int = ""
    template_content: str = ""
