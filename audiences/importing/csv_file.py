"""CSV as people save it: UTF-8 with or without a mark, GB 18030 (what Chinese Excel writes), UTF-16 with a mark."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from audiences.errors import FileError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GUESSES = ("utf-8", "gb18030")
_DELIMITERS = ",\t;"
_PIECE = 1 << 20
# Characters of a line: a row of ten million cells would be taken apart in memory before anybody counts them.
_LONGEST_LINE = 1 << 20


class CsvFile:
    """An open CSV file. `fraction` is the share of its bytes that has been read."""

    def __init__(self, path: Path, max_cell: int) -> None:
        self._path = path
        self._size = max(path.stat().st_size, 1)
        self._max_cell = max_cell
        self._bytes: BinaryIO = path.open("rb")

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()

    @property
    def fraction(self) -> float:
        return min(1.0, self._bytes.tell() / self._size) if not self._bytes.closed else 1.0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows numbered from 1; FileError when the bytes are in no known encoding, or the quoting never ends."""
        encoding = detect_encoding(self._bytes)
        self._bytes.seek(0)
        with io.TextIOWrapper(self._bytes, encoding=encoding, newline="") as text:
            reader = csv.reader(_lines(text), delimiter=_delimiter(text), strict=False)
            number = 0
            try:
                for number, cells in enumerate(reader, start=1):
                    if max(map(len, cells), default=0) > self._max_cell:
                        raise FileError(
                            f"第 {number} 行有超过 {self._max_cell} 字的单元格。",
                            remedy="多半是引号没有成对，请检查这一行。",
                        )
                    yield number, cells
            except csv.Error as error:
                raise FileError(
                    f"第 {number + 1} 行无法读取（{error}）。", remedy="多半是引号没有成对，请检查这一行。"
                ) from error


def detect_encoding(source: BinaryIO) -> str:
    """The encoding in which all the bytes make sense; FileError with the place of the first that do not."""
    source.seek(0)
    start = source.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            _check(source, encoding)
            return encoding
    for encoding in _GUESSES[:-1]:
        try:
            _check(source, encoding)
        except FileError:
            continue
        return encoding
    _check(source, _GUESSES[-1])
    return _GUESSES[-1]


def _check(source: BinaryIO, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    source.seek(0)
    place = 0
    try:
        while piece := source.read(_PIECE):
            if "\0" in decoder.decode(piece):
                raise FileError(
                    f"文件里有零字节（约第 {place + 1} 字节之后），不是表格，或是没有标记的 UTF-16。",
                    remedy="请另存为“CSV UTF-8”。",
                )
            place += len(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileError(
            f"文件编码无法识别（约第 {place + error.start + 1} 字节处既不是 UTF-8 也不是 GB18030）。",
            remedy="请另存为“CSV UTF-8”。",
        ) from error


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    for number in count(1):
        line = text.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE and not line.endswith(("\r", "\n")):
            raise FileError(f"第 {number} 行太长。", remedy="多半不是 CSV 文件，或没有换行；请在表格软件里打开后另存。")
        yield line


def _delimiter(text: io.TextIOWrapper) -> str:
    """Whichever of comma, tab and semicolon the first line has most of."""
    line = text.readline(1 << 16)
    text.seek(0)
    return max(_DELIMITERS, key=line.count)
