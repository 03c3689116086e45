"""The two large parts of a workbook, parsed as streams: the table of shared strings, and the rows of a sheet."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from os import pread
from xml.parsers import expat

from audiences.errors import FileError
from audiences.importing.xlsx_dates import iso

_NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
# expat hands over text in pieces of up to 8 KiB; a cell of more pieces than this is over any limit and is cut.
_MAX_PIECES = 64
# A sheet nests five levels; whoever never closes what he opens fills the memory with what is open.
_MAX_DEPTH = 32
# Bytes of a tag or a comment, which the parser holds as a whole until it ends.
_MAX_TOKEN = 1 << 20
# Characters of "XFD1048576" and some more.
_MAX_REFERENCE = 16
# Integers up to here survive a spreadsheet's double-precision numbers.
_EXACT = 10**15


def _names(*local: str) -> dict[str, str]:
    return {f"{namespace} {name}": name for namespace in _NAMESPACES for name in local}


class _Parser:
    """expat, fed in pieces and within bounds: what is read costs no memory but that of the handlers."""

    def __init__(self) -> None:
        self._expat = expat.ParserCreate(namespace_separator=" ")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
        self._fed = 0
        self._depth = 0

    def handle(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        data: Callable[[str], None],
    ) -> None:
        """Whom to tell of each tag and text."""

        def opened(name: str, attributes: dict[str, str]) -> None:
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise _oversized()
            start(name, attributes)

        def closed(name: str) -> None:
            self._depth -= 1
            end(name)

        self._expat.StartElementHandler, self._expat.EndElementHandler = opened, closed
        self._expat.CharacterDataHandler = data

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """FileError for XML that is broken, declares entities, or is built to be a burden."""
        try:
            self._expat.Parse(piece, final)
        except expat.ExpatError as error:
            raise FileError("这个 .xlsx 文件已损坏。", remedy="请在表格软件里打开后另存。") from error
        self._fed += len(piece)
        if not final and self._fed - self._expat.CurrentByteIndex > _MAX_TOKEN:
            raise _oversized()


def _refuse_doctype(*_: object) -> None:
    raise FileError("文件内的 XML 声明了文档类型或实体，拒绝读取。", remedy="请在表格软件里打开后另存。")


def _oversized() -> FileError:
    return FileError("文件内的 XML 结构异常，疑似压缩炸弹，拒绝读取。", remedy="请在表格软件里打开后另存。")


class SharedStrings:
    """The workbook's strings by number, in a temporary file: a roster's are mostly unique and too many for memory."""

    _LOCAL = _names("si", "t", "rPh")

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the workbook; closed by close()
        self._ends = array("Q", [0])
        self.get = lru_cache(maxsize=20_000)(self._read)

    def close(self) -> None:
        self._file.close()

    def load(self, pieces: Iterable[bytes], max_cell: int) -> None:
        """Read the part `sharedStrings.xml`; phonetic readings (rPh) are no part of the text."""
        parser = _Parser()
        text: list[str] = []
        finished: list[bytes] = []
        inside = {"t": False, "rPh": False}

        def start(name: str, _: dict[str, str]) -> None:
            local = self._LOCAL.get(name)
            if local == "si":
                text.clear()
            elif local is not None:
                inside[local] = True

        def end(name: str) -> None:
            local = self._LOCAL.get(name)
            if local == "si":
                finished.append("".join(text)[: max_cell + 1].encode())
            elif local is not None:
                inside[local] = False

        def data(piece: str) -> None:
            if inside["t"] and not inside["rPh"] and len(text) < _MAX_PIECES:
                text.append(piece)

        parser.handle(start, end, data)
        for piece in pieces:
            parser.feed(piece)
            self._keep(finished)
        parser.feed(b"", final=True)
        self._keep(finished)
        self._file.flush()

    def _keep(self, finished: list[bytes]) -> None:
        for encoded in finished:
            self._ends.append(self._ends[-1] + len(encoded))
        self._file.write(b"".join(finished))
        finished.clear()

    def _read(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise FileError("工作表引用了不存在的文本。", remedy="文件已损坏，请在表格软件里打开后另存。")
        start = self._ends[number]
        return pread(self._file.fileno(), self._ends[number + 1] - start, start).decode()


class SheetReader:
    """Turns a sheet's XML into rows of text: whole numbers without `.0`, dates as ISO 8601, booleans 是/否."""

    _LOCAL = _names("row", "c", "v", "t", "is", "rPh")

    def __init__(
        self, strings: SharedStrings, date_styles: frozenset[int], epoch: datetime, max_columns: int, max_cell: int
    ) -> None:
        self._strings = strings
        self._date_styles = date_styles
        self._epoch = epoch
        self._max_columns = max_columns
        self._max_cell = max_cell
        self._finished: list[tuple[int, list[str]]] = []
        self._number = 0
        self._cells: list[str] = []
        self._column = 0
        self._kind = "n"
        self._style = 0
        self._text: list[str] = []
        self._collecting = False

    def rows(self, pieces: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
        """FileError for XML that is broken, declares entities, or holds more columns than allowed."""
        parser = _Parser()
        parser.handle(self._start, self._end, self._data)
        for piece in pieces:
            parser.feed(piece)
            yield from self._finished
            self._finished.clear()
        parser.feed(b"", final=True)
        yield from self._finished

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._LOCAL.get(name)
        if local == "c":
            reference = attributes.get("r")
            self._column = _column(reference) if reference else self._column + 1
            self._kind = attributes.get("t", "n")
            self._style = int(attributes.get("s", "0"))
            self._text.clear()
        elif local in ("v", "t"):
            self._collecting = True
        elif local == "rPh":
            self._collecting = False
        elif local == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._cells = []
            self._column = 0

    def _end(self, name: str) -> None:
        local = self._LOCAL.get(name)
        if local in ("v", "t"):
            self._collecting = False
        elif local == "c":
            if self._text:
                self._place(self._value("".join(self._text)))
        elif local == "row":
            self._finished.append((self._number, self._cells))

    def _data(self, piece: str) -> None:
        if self._collecting and len(self._text) < _MAX_PIECES:
            self._text.append(piece)

    def _place(self, value: str) -> None:
        if not 1 <= self._column <= self._max_columns:
            raise FileError(f"第 {self._number} 行超过 {self._max_columns} 列。", remedy="请删除多余的列。")
        if len(value) > self._max_cell:
            raise FileError(f"第 {self._number} 行有超过 {self._max_cell} 字的单元格。", remedy="请检查这一行。")
        missing = self._column - len(self._cells)
        if missing > 0:
            self._cells.extend([""] * missing)
        self._cells[self._column - 1] = value

    def _value(self, text: str) -> str:
        match self._kind:
            case "s":
                return self._strings.get(int(text))
            case "n":
                return self._shown_date(text) if self._style in self._date_styles else _number(text)
            case "b":
                return "是" if text == "1" else "否"
            case "e":
                return ""
            case _:
                return text

    def _shown_date(self, text: str) -> str:
        try:
            return iso(float(text), self._epoch)
        except (ValueError, OverflowError):
            return text


def _column(reference: str) -> int:
    """The column number of "AB12"; `ValueError` for what is longer than any reference, and would take hours."""
    if len(reference) > _MAX_REFERENCE:
        raise ValueError("no reference to a cell")
    column = 0
    for character in reference:
        if character.isdigit():
            break
        column = column * 26 + ord(character) - 64
    return column


def _number(text: str) -> str:
    """A number as a person would have typed it; longer integers than a double can hold keep their power of ten."""
    if text.isdigit() and len(text) <= 15:
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else f"{value:E}"
    return repr(value)
