"""What somebody wrote in answer to a mail: the words above the quoted mail, without signature and decoration."""

from __future__ import annotations

import html
import re
from email.message import Message
from email.utils import parseaddr

from channels.email.letter import field, from_a_server, subject, text

LONGEST = 1_000
"""Characters of an answer that are kept: more is no answer any more."""

_LONGEST_PART = 20_000
_MOST_LINES = 200
# Where the quoted mail, or the signature, begins: the forms of Outlook, Foxmail, QQ, NetEase, Gmail and the phones.
_QUOTED = re.compile(
    r"""\s*(?:
    > | -{2,}\s*(?:original\ message|原始邮件|转发邮件|回复的原邮件|forwarded) | _{10,}\s*$ | --\s?$
    | (?:发件人|寄件者|from|发送日期|发送时间)\s*[:：] | \|\s*(?:发件人|from)\s*\|
    | (?:发自|来自)(?:我的|网易|qq) | sent\ from\ my | get\ outlook\ for | 获取\s*outlook
    | (?:在|于)?\s*\d{4}\s*[年/-].{0,120}(?:写道|寫道|wrote)\s*[:：]?\s*$
    | on\s.{5,160}\bwrote:\s*$ | 在\s.{5,160}写道\s*[:：]\s*$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_AUTOMATIC = re.compile(
    r"^\W*(?:automatic reply|auto(?:matic)?[- ]?repl|out of office|自动回复|自動回覆|自动答复|系统退信)", re.IGNORECASE
)
_BREAKS = frozenset({"br", "/p", "/div", "p", "div", "/tr", "/li", "li"})
_ENDS = frozenset({"blockquote", "hr"})
_SKIPPED = frozenset({"style", "script", "head", "title"})


def is_automatic(mail: Message) -> bool:
    """Whether no person wrote it: a vacation notice, a list, a server (RFC 3834 2)."""
    submitted = field(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if field(mail, "Precedence").lower() in {"bulk", "junk", "list", "auto_reply"}:
        return True
    if mail.get("X-Autoreply") is not None or mail.get("X-Autorespond") is not None or mail.get("List-Id") is not None:
        return True
    return from_a_server(mail) or bool(_AUTOMATIC.match(subject(mail)))


def sender(mail: Message) -> str:
    """Who says that they wrote it; "" when nobody does."""
    return parseaddr(field(mail, "From")[:400])[1]


def answer(mail: Message) -> str:
    """The words above the quote, "" when there are none."""
    for kind in ("text/plain", "text/html"):
        for part in mail.walk():
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                said = text(part)[:_LONGEST_PART]
                return _above(_plain(said) if kind == "text/html" else said)
    return ""


def _above(said: str) -> str:
    kept: list[str] = []
    for line in said.splitlines()[:_MOST_LINES]:
        if _QUOTED.match(line[:300]):
            break
        kept.append(line.strip())
    return "\n".join(kept).strip()[:LONGEST]


def _plain(markup: str) -> str:
    """The text of HTML up to what it quotes; a tag costs one look, however it is written."""
    first, *pieces = markup.split("<")
    said, skipping = [first], ""
    for piece in pieces:
        tag, closed, words = piece.partition(">")
        name = (tag.split(None, 1) or [""])[0].rstrip("/").lower()
        if name in _ENDS:
            break
        if skipping:
            skipping = "" if name == f"/{skipping}" else skipping
        elif name in _SKIPPED:
            skipping = name
        if skipping or not closed:
            continue
        said.append("\n" if name in _BREAKS else "")
        said.append(words)
    return html.unescape("".join(said)).replace("\xa0", " ")
