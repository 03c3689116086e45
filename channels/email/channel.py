"""What every mail gateway of ours asks of an address and a message (RFC 5321, 6531; domain names by IDNA, RFC 5891)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message

MEDIUM = Medium.EMAIL
LOCAL_PART_OCTETS = 64  # RFC 5321 4.5.3.1.1
ADDRESS_OCTETS = 254  # RFC 5321 4.5.3.1.3: a path of 256 with its brackets
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"  # RFC 5322 3.2.3, with RFC 6532
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")  # the categories Cc, Zl and Zp
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_REMEDY = "应为 名称@域名，如 zhangsan@example.cn；名称不含空格和引号，域名须完整。"


def address(text: str) -> str:
    """The address with its domain in lower-case ASCII (IDNA); `InputError` otherwise, without the address in it.

    Quoted names and domains that are IP addresses are refused: nobody's mailbox needs them, forgers do.
    """
    written = unicodedata.normalize("NFC", text.strip())
    local, at, domain = written.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or (not local.isascii() and any(map(_invisible, local))):
        raise InputError("邮箱地址不合格。", remedy=_REMEDY)
    if len(local.encode()) > LOCAL_PART_OCTETS:
        raise InputError("邮箱地址 @ 前面太长。", remedy=f"至多 {LOCAL_PART_OCTETS} 字节。")
    canonical = f"{local}@{_domain(domain)}"
    if len(canonical.encode()) > ADDRESS_OCTETS:
        raise InputError("邮箱地址太长。", remedy=f"至多 {ADDRESS_OCTETS} 字节。")
    return canonical


def check(message: Message) -> None:
    """`InputError` when the message cannot go out as a mail; a line break in the subject would forge headers."""
    if not message.text.strip():
        raise InputError("邮件没有正文。", remedy="请检查邮件模板；HTML 之外必须有纯文本正文。")
    if not message.subject.strip():
        raise InputError("邮件没有主题。", remedy="请检查邮件模板。")
    if _CONTROL.search(message.subject):
        raise InputError("邮件主题含有换行或控制字符。", remedy="请检查邮件模板；主题只能是一行。")


def international(canonical: str) -> bool:
    """Whether the address needs a server that takes names in any script (SMTPUTF8, RFC 6531)."""
    return not canonical.isascii()


@lru_cache(maxsize=4096)
def _domain(written: str) -> str:
    """Kept: a district's mailboxes are at a few dozen domains, and IDNA is a tenth of what a mail costs."""
    try:
        domain = idna.encode(written.rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise InputError("邮箱地址的域名不合格。", remedy=_REMEDY) from error
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError("邮箱地址的域名不合格。", remedy=_REMEDY)
    return domain


def _invisible(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ"
