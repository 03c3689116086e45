"""Workbooks (XLSX) whose every cell is a text or a number, never a formula; written row by row into a file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Value = str | int | float | None

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 32_767  # characters of a cell, by the format


class Sheet:
    """A workbook with sheets; the first is there from the start. Its file lives as long as the `with` block."""

    def __init__(self, title: str, head: Sequence[str]) -> None:
        self._book = Workbook(write_only=True)
        self._folder = tempfile.TemporaryDirectory(prefix="daohu-")
        self.sheet(title, head)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def sheet(self, title: str, head: Sequence[str]) -> None:
        """Begin another sheet with its heading."""
        self._sheet: Any = self._book.create_sheet(title[:31])
        self._sheet.freeze_panes = "A2"
        self._sheet.append([self._cell(text, bold=True) for text in head])

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        """Add rows to the sheet that was begun last."""
        for row in rows:
            self._sheet.append([self._cell(value) for value in row])

    def finish(self) -> Path:
        """The complete file."""
        path = Path(self._folder.name) / "book.xlsx"
        self._book.save(path)
        return path

    def _cell(self, value: Value, *, bold: bool = False) -> Any:
        if not isinstance(value, str):
            return value
        cell: Any = WriteOnlyCell(self._sheet, value=_UNWRITABLE.sub("", value)[:_LONGEST])
        cell.data_type = "s"  # also what begins with "=": as text it is shown, not reckoned
        if bold:
            cell.font = Font(bold=True)
        return cell
