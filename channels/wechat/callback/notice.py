"""One notice of a platform: flat XML, its texts by the names of its elements.

Read by expat alone: nobody needs the tree, a document type is refused at its first character, as defusedxml does, and a
broken document leaves no circle of objects behind, as ElementTree's errors do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape

from broadcaster.errors import InputError

LARGEST = 64 * 1024
"""Octets of a notice; a text of 2,048 octets sealed takes less than a tenth."""

_UNSTORABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (2.2) has no place for."""

MOST = 200
"""Elements of a notice."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What came: the texts of the root's children, "" for those that have none or are not there."""

    texts: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def at(self) -> datetime:
        """CreateTime, by the platform's clock; `InputError` when it is no time."""
        return moment(self["CreateTime"])

    @classmethod
    def read(cls, document: bytes) -> Notice:
        """`InputError` for what is no such XML, too large, or has a document type in it."""
        if len(document) > LARGEST:
            raise InputError("微信回调太大。", remedy=f"最多 {LARGEST // 1024} KiB。")
        reading = _Reading()
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = reading.begin
        parser.EndElementHandler = reading.end
        parser.CharacterDataHandler = reading.text
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError, LookupError) as problem:
            raise InputError("微信回调不是 XML。", remedy="请核对回调地址填的是哪个平台。") from problem
        return cls(reading.texts)


class _Reading:
    """What was read so far of a document: the texts of the root's children, the first of each name."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._depth = 0
        self._elements = 0
        self._name: str | None = None

    def begin(self, name: str, _attributes: object) -> None:
        self._depth += 1
        self._elements += 1
        if self._elements > MOST:
            raise InputError("微信回调的元素太多。", remedy="这不是微信平台的消息。")
        if self._depth == 2:
            self._name = None if name in self.texts else name
            self.texts.setdefault(name, "")

    def text(self, text: str) -> None:
        if self._depth == 2 and self._name is not None:
            self.texts[self._name] += text

    def end(self, _name: str) -> None:
        self._depth -= 1


def _refuse(*_: object) -> None:
    raise InputError("微信回调里有文档类型声明。", remedy="这不是微信平台的消息。")


def moment(seconds: str) -> datetime:
    """Seconds since 1970 as digits; `InputError` for anything else."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        raise InputError("微信回调里的时间不对。", remedy="应为自 1970 年起的秒数。")
    return datetime.fromtimestamp(int(seconds), UTC)


Texts: TypeAlias = Mapping[str, "str | Mapping[str, str]"]
"""What an answer says, by element."""


def write(texts: Texts) -> bytes:
    """The XML of an answer."""
    return f"<xml>{''.join(_element(name, value) for name, value in texts.items())}</xml>".encode()


def _element(name: str, value: str | Mapping[str, str]) -> str:
    inner = (
        escape(_UNSTORABLE.sub("", value))
        if isinstance(value, str)
        else "".join(_element(*one) for one in value.items())
    )
    return f"<{name}>{inner}</{name}>"
