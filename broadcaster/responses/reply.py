"""What a reply means. Conservative: only a whole reply that is an acknowledgement acknowledges; a call for help wins.

A false "confirmed" lets a village drown quietly; a false "not understood" costs one more call. So questions, negations
and anything unrelated never count.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Received and understood; `code` names the alert ("" when none was given), `moved` people moved, if reported."""

    code: str = ""
    moved: int | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """Somebody needs help; `code` as above."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Nothing that counts; a person reads it."""


Understanding = Acknowledge | Help | NotUnderstood

CODE = r"(?P<code>[2-9]{2,4})"
"""Reply codes use the digits 2 to 9 only, so that "1" and a code never run together."""

_JOIN = r"[\s#,.、。:;\-_/]*"
_WORD = r"(?:1|(?:好的?|是的?|嗯)?" + _JOIN + r"已?经?(?:收到|确认|知道|明白|收悉|知悉)(?:了|啦)?|ok|yes)"
_THANKS = r"(?:谢谢?|多谢|感谢|辛苦了?)"
_MARK = r"[\s!,.、。:;~\-…]*"
_TAIL = r"(?:[\s!,.、。:;~\-…]+(?P<tail>(?!\d)[^?]{1,80}))?"
_ACKNOWLEDGE = (
    re.compile(rf"{_WORD}{_JOIN}{CODE}?(?:{_MARK}{_THANKS})?{_TAIL}{_MARK}"),
    re.compile(rf"{CODE}{_JOIN}{_WORD}(?:{_MARK}{_THANKS})?{_TAIL}{_MARK}"),
)

_DOUBT = re.compile(
    r"\?|吗|么|呢|什么|啥|谁|怎|哪|为何|多少|几|没|不|未|别|勿|假|骗|误|错|退订|取消|拒|td\b|no\b|not\b"
)
"""In the rest of a reply: a question, a negation, or somebody who does not believe it."""

_HELP = re.compile(r"求助|求救|救命|救我|救救|救援|被困|sos|\bhelp\b|需要帮助|请求帮助|快来人")
_NO_HELP = re.compile(
    r"(?:不|没|无|勿|别|未)(?:有|用|需|要|需要|必|是|人)*(?:求助|求救|救援|被困|需要帮助|请求帮助)|no help"
)
_HELP_CODE = re.compile(rf"(?<!\d){CODE}(?!\d)")
_MOVED = re.compile(r"(?:转移|撤离|安置)了?(?:群众|村民)?(\d{1,6})(?:名|个|余)?(?:群众|村民)?人?")

_MOST = 500
"""Characters of a reply that are looked at; nobody acknowledges in more."""


def understand(text: str, *, keypad: bool = False) -> Understanding:
    """What `text` means; `keypad` for keys pressed during a call, where 1 confirms and 9 asks for help."""
    plain = _plain(text)
    if keypad:
        return Acknowledge() if plain == "1" else Help() if plain == "9" else NotUnderstood()
    if _HELP.search(plain) and not _NO_HELP.search(plain):
        found = _HELP_CODE.search(plain)
        return Help(found["code"] if found else "")
    for pattern in _ACKNOWLEDGE:
        found = pattern.fullmatch(plain)
        if found and not _DOUBT.search(found["tail"] or ""):
            moved = _MOVED.search(found["tail"] or "")
            return Acknowledge(found["code"] or "", int(moved[1]) if moved else None)
    return NotUnderstood()


def _plain(text: str) -> str:
    """Full-width to half-width, traditional 確認 to simplified, lower case, without emoji, quotes and outer blanks."""
    folded = unicodedata.normalize("NFKC", text[:_MOST]).casefold().translate(_VARIANTS)
    kept = (
        character
        for character in folded
        if unicodedata.category(character) not in {"So", "Sk", "Cf", "Mn", "Cc"} or character in "\n\t"
    )
    return "".join(kept).strip(" \t\n\r.,!;:~、。-…")


_VARIANTS = str.maketrans(
    {"収": "收", "確": "确", "認": "认", "經": "经", "轉": "转", "離": "离", "嗎": "吗", "沒": "没", "謝": "谢"}
    | {"“": None, "”": None, '"': None, "'": None, "‘": None, "’": None, "【": None, "】": None, "[": None, "]": None}
    | {"，": ",", "。": ".", "！": "!", "？": "?", "；": ";", "：": ":"}
)
