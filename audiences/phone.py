"""Phone numbers of mainland China as people write them, brought to the one form that is stored.

A mobile is stored as its 11 digits (`13800138000`), a landline as trunk 0 + area code + number (`057488123456`). Both
are contacts of the medium `phone`; only a mobile can get a text message, a landline is called (it is often the only
way to an old person who lives alone). Written forms that are understood: +86, 0086 and 86 in front, spaces, dashes,
dots, brackets, full-width digits, several numbers in one cell.
"""

from __future__ import annotations

import re
import unicodedata

ALLOWED = "手机号 11 位、1 开头；座机须带区号，如 0574-88123456；多个号码用、或；分隔"

_MOBILE = re.compile(r"1[3-9]\d{9}")
# Area codes: 010, 02x with 8 digits; 03xx to 09xx with 7 or 8 (YD/T national numbering plan).
_LANDLINE = re.compile(r"0(?:10|2\d)\d{8}|0[3-9]\d{2}\d{7,8}")
_COUNTRY = re.compile(r"^(?:\+|00)86(?=\d)")
_PUNCTUATION = re.compile(r"[\s\-\u2010-\u2015\u2212.()]+")
_SEPARATORS = re.compile(r"[,;/|\n\r、]+")
_EXCEL_POWER = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")


class PhoneError(ValueError):
    """The text is no phone number that can be used; the message says why, without the number. It is `template` with
    `values` put in."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template % values if values else template)
        self.template = template
        self.values = values


def normalise(text: str) -> str:
    """The stored form of one number; PhoneError with the reason when it is none."""
    if len(text) == 11 and text.isascii() and _MOBILE.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKC", text).strip()
    if _EXCEL_POWER.fullmatch(plain):
        raise PhoneError("被表格软件改成了科学计数法，尾数已丢失")
    digits = _PUNCTUATION.sub("", plain)
    national, prefixed = _COUNTRY.subn("", digits)
    if not national.isascii() or not national.isdigit():
        raise PhoneError("含有数字以外的字符")
    if len(national) == 13 and national.startswith("861"):
        national = national[2:]
    if _MOBILE.fullmatch(national):
        return national
    if prefixed and not national.startswith("0"):
        national = "0" + national
    if _LANDLINE.fullmatch(national):
        return national
    raise _reason(national)


def split(cell: str) -> list[str]:
    """The numbers written in one cell, as written. Blanks separate only where each part is long enough by itself."""
    parts: list[str] = []
    for part in _SEPARATORS.split(unicodedata.normalize("NFKC", cell)):
        words = part.split()
        if len(words) > 1 and all(len(_PUNCTUATION.sub("", word)) >= 10 for word in words):
            parts.extend(words)
        elif words:
            parts.append(part.strip())
    return parts


def is_mobile(address: str) -> bool:
    """Whether a stored number can get a text message."""
    return address.startswith("1")


def mask(text: str) -> str:
    """The number as it may be shown in a report: the first three and the last two characters."""
    return f"{text[:3]}****{text[-2:]}" if len(text) > 6 else "*" * len(text)


def _reason(digits: str) -> PhoneError:
    if len(digits) in (7, 8) and not digits.startswith(("0", "1")):
        return PhoneError("座机缺少区号")
    if digits.startswith("1"):
        return PhoneError("手机号应为 11 位，第二位 3–9（这里 %(digits)s 位）", digits=len(digits))
    if digits.startswith(("400", "800", "95", "96")):
        return PhoneError("服务号码不是住户电话")
    return PhoneError("%(digits)s 位数字，既不是手机号也不是带区号的座机", digits=len(digits))
