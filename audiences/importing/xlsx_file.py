"""XLSX read as a stream of rows: flat memory at any length, nothing evaluated, hostile packages refused.

A workbook is a ZIP of XML parts (ECMA-376). The first visible sheet is read with expat in small pieces; shared strings
go to a temporary file, because a roster has millions of different ones. Formulas give the value that was last saved.
Refused before anything is unpacked: bombs (total size, ratio), and any XML that declares a document type or entities.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from audiences.errors import FileError
from audiences.importing.xlsx_dates import BUILT_IN, EPOCH_1900, EPOCH_1904, shows_date
from audiences.importing.xlsx_sheet import SharedStrings, SheetReader

MAX_ENTRIES = 10_000
MAX_UNPACKED = 4 << 30
# A part that becomes a tree takes up to twenty times its size in memory.
MAX_SMALL_PART = 8 << 20
MAX_RATIO = 200
# Below this size a high ratio is only a sheet with much repetition.
RATIO_COUNTS_FROM = 32 << 20
_PIECE = 1 << 16

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    DefusedXmlException,
    EOFError,
    NotImplementedError,
    LookupError,
    ValueError,
)
_REMEDY = "请在表格软件里打开后另存为 .xlsx 或 CSV UTF-8。"


class XlsxFile:
    """An open workbook. `fraction` is the share of the sheet's XML that has been read."""

    def __init__(self, path: Path, *, max_columns: int, max_cell: int) -> None:
        self._max_columns = max_columns
        self._max_cell = max_cell
        self._done = 0
        self._size = 1
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise FileError("这不是有效的 .xlsx 文件。", remedy=_REMEDY) from error
        try:
            self._require_harmless()
        except FileError:
            self._archive.close()
            raise
        self._strings = SharedStrings()

    def __enter__(self) -> XlsxFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._strings.close()
        self._archive.close()

    @property
    def fraction(self) -> float:
        return min(1.0, self._done / self._size)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows of the first visible sheet under their own numbers; FileError for a broken or hostile package."""
        try:
            sheet, epoch_1904 = self._first_sheet()
            targets = self._targets("xl/_rels/workbook.xml.rels", "xl/")
            strings_part = next((part for kind, part in targets.values() if kind == "sharedStrings"), None)
            if strings_part is not None:
                self._strings.load(self._pieces(strings_part), self._max_cell)
            dates = self._date_styles(next((part for kind, part in targets.values() if kind == "styles"), None))
            part = targets[sheet][1]
            self._size = max(self._archive.getinfo(part).file_size, 1)
            epoch = EPOCH_1904 if epoch_1904 else EPOCH_1900
            reader = SheetReader(self._strings, dates, epoch, self._max_columns, self._max_cell)
            yield from reader.rows(self._counted(self._pieces(part)))
        except _BROKEN as error:
            raise FileError("这个 .xlsx 文件已损坏，或含有不允许的内容。", remedy=_REMEDY) from error

    def _require_harmless(self) -> None:
        entries = self._archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise FileError("压缩包解开后过大，拒绝读取。", remedy=_REMEDY)
        for entry in entries:
            ratio = entry.file_size / max(entry.compress_size, 1)
            if entry.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO:
                raise FileError(
                    f"压缩包内“{entry.filename[:60]}”的压缩比异常，疑似压缩炸弹，拒绝读取。", remedy=_REMEDY
                )
            if entry.flag_bits & 1:
                raise FileError("文件设有密码，无法读取。", remedy="请去掉密码后再导入。")

    def _small_part(self, name: str) -> Element:
        if self._archive.getinfo(name).file_size > MAX_SMALL_PART:
            raise FileError(f"压缩包内“{name[:60]}”过大，拒绝读取。", remedy=_REMEDY)
        root: Element = ElementTree.fromstring(self._archive.read(name), forbid_dtd=True)
        for element in root.iter():  # the strict variant of the standard has another namespace and the same names
            element.tag = element.tag.replace(_STRICT, _MAIN)
        return root

    def _first_sheet(self) -> tuple[str, bool]:
        """The relationship id of the first visible sheet, and whether days count from 1904."""
        workbook = self._small_part("xl/workbook.xml")
        properties = workbook.find(f"{_MAIN}workbookPr")
        epoch_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        for sheet in workbook.iter(f"{_MAIN}sheet"):
            if sheet.get("state", "visible") == "visible":
                return next((value for key, value in sheet.items() if key.endswith("}id")), ""), epoch_1904
        raise FileError("工作簿里没有可见的工作表。", remedy=_REMEDY)

    def _targets(self, name: str, folder: str) -> dict[str, tuple[str, str]]:
        """Relationship id → (kind, part)."""
        targets = {}
        for relationship in self._small_part(name):
            target = relationship.get("Target", "")
            part = target.lstrip("/") if target.startswith("/") else folder + target
            targets[relationship.get("Id", "")] = (relationship.get("Type", "").rpartition("/")[2], part)
        return targets

    def _date_styles(self, part: str | None) -> frozenset[int]:
        """The cell styles that show a number as a date."""
        if part is None or part not in self._archive.namelist():
            return frozenset()
        styles = self._small_part(part)
        codes = {int(own.get("numFmtId", "0")): own.get("formatCode", "") for own in styles.iter(f"{_MAIN}numFmt")}
        cells = styles.find(f"{_MAIN}cellXfs")
        ids = [int(style.get("numFmtId", "0")) for style in cells] if cells is not None else []
        return frozenset(
            index
            for index, number in enumerate(ids)
            if (shows_date(codes[number]) if number in codes else number in BUILT_IN)
        )

    def _pieces(self, part: str) -> Iterator[bytes]:
        with self._archive.open(part) as stream:
            while piece := stream.read(_PIECE):
                yield piece

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._done += len(piece)
            yield piece
