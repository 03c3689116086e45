"""A small XML tree from bytes that may be hostile.

No document type at all is let in, so there are no entities, no defaults and nothing to fetch; size, depth and number
of elements are bounded while parsing, before a tree can grow. What comes out is plain: names, lines, texts, children.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from broadcaster.errors import InputError

SIZE_MAX = 8 * 1024 * 1024
"""Bytes. The largest public alerts (whole-country outlines) stay below 1 MB."""

DEPTH_MAX = 32
"""Levels of nesting: a signed alert within a feed has 12."""

NODES_MAX = 200_000
"""Elements in one document."""

ATTRIBUTES_MAX = 64
"""Attributes on one element; CAP has none but namespace declarations."""

_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CHINESE_ENCODINGS = frozenset({"gbk", "gb2312", "gb18030"})
_ENCODINGS = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1", "windows-1252"})


@dataclass(slots=True)
class Node:
    """One element: namespace URI, local name, line (from 1), the text directly inside it, and its children."""

    namespace: str
    name: str
    line: int
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text, without surrounding white space."""
        return "".join(self.pieces).strip()

    def every(self, name: str) -> Iterator[Node]:
        """The children of this name in this element's namespace."""
        return (child for child in self.children if child.name == name and child.namespace == self.namespace)

    def first(self, name: str) -> Node | None:
        """The first such child."""
        return next(self.every(name), None)

    def value(self, name: str) -> str:
        """The text of the first such child, "" without one."""
        child = self.first(name)
        return child.text if child else ""


def parse(data: bytes, largest: int = SIZE_MAX) -> Node:
    """The root element of an XML document of at most `largest` bytes; raises `InputError` for anything that is not
    plain, bounded XML."""
    if len(data) > largest:
        raise InputError("security：文件有 %(size)d 字节，超过上限 %(largest)d 字节。", size=len(data), largest=largest)
    text, encoding = _decoded(data)
    builder = _Builder(encoding)
    try:
        builder.parser.Parse(text, True)
    except expat.ExpatError as error:
        cause = expat.ErrorString(error.code)
        raise InputError(
            "xml：第 %(line)d 行：不是格式正确的 XML（%(cause)s）。", line=error.lineno, cause=cause
        ) from error
    except (LookupError, ValueError) as error:
        raise InputError("xml：声明的字符编码无法识别或与内容不符。", remedy="请用 UTF-8 重新保存。") from error
    finally:
        builder.let_go()
    if builder.root is None:
        raise InputError("xml：文件里没有任何元素。")
    return builder.root


def encoding_of(data: bytes) -> str:
    """The encoding that a document declares, else UTF-8 (or UTF-16, where it begins as such); Chinese ones as their
    superset."""
    declared = _DECLARED.match(data[:200])
    encoding = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return "utf-16"
    return "gb18030" if encoding in _CHINESE_ENCODINGS else encoding


def _decoded(data: bytes) -> tuple[bytes, str | None]:
    """What to parse, and the encoding to force: Chinese encodings, which the parser lacks, are turned into UTF-8."""
    encoding = encoding_of(data)
    if encoding == "gb18030":
        try:
            return data.decode("gb18030").encode("utf-8"), "UTF-8"
        except UnicodeDecodeError as error:
            raise InputError("xml：声明的字符编码与内容不符。", remedy="请用 UTF-8 重新保存。") from error
    if encoding not in _ENCODINGS:
        raise InputError("xml：不支持字符编码 %(encoding)s。", remedy="请用 UTF-8 重新保存。", encoding=encoding[:20])
    return data, None


class _Builder:
    """Collects expat's events into nodes and stops at the first thing that has no place in an alert."""

    def __init__(self, encoding: str | None) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self.parser = expat.ParserCreate(encoding, namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def let_go(self) -> None:
        """Part from the parser, which knows the builder as the builder knows it: else both, with all they hold, would
        lie about until the garbage is collected, which is rarely."""
        self.parser.StartDoctypeDeclHandler = None
        self.parser.StartElementHandler = None
        self.parser.EndElementHandler = None
        self.parser.CharacterDataHandler = None

    def _refuse_doctype(self, *_: object) -> None:
        raise InputError(
            "security：第 %(line)d 行：含有文档类型声明（DTD、实体），一律拒收。",
            remedy="请去掉 <!DOCTYPE …>。",
            line=self.parser.CurrentLineNumber,
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._count += 1
        if self._count > NODES_MAX:
            raise InputError("security：第 %(line)d 行：元素超过 %(most)d 个。", line=line, most=NODES_MAX)
        if len(self._open) >= DEPTH_MAX:
            raise InputError("security：第 %(line)d 行：元素嵌套超过 %(most)d 层。", line=line, most=DEPTH_MAX)
        if len(attributes) > ATTRIBUTES_MAX:
            raise InputError(
                "security：第 %(line)d 行：一个元素的属性超过 %(most)d 个。", line=line, most=ATTRIBUTES_MAX
            )
        namespace, _, name = tag.rpartition(" ")
        node = Node(namespace, name, line, attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, piece: str) -> None:
        if self._open:
            self._open[-1].pieces.append(piece)
