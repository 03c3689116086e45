"""Reading a roster's rows against its header: the part that every kind of roster shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from audiences.importing import cells
from audiences.importing.columns import Header, Row
from audiences.importing.report import Problems

T = TypeVar("T")

TOO_WIDE = "列数多于表头；含逗号的内容请加引号"
OUTSIDE = "不在您可以导入的辖区内；这一行请由上级导入"
UNKNOWN_REGION = "该编码未登记或级别不符；请先导入区域，再填村社（12 位）或网格（15 位）编码"


class RowRefusedError(Exception):
    """This row cannot be taken; the problem has been noted."""


class RowReader:
    """One row at a time: `begin` it, then ask for fields. Problems go to `problems` under the row's number."""

    def __init__(self, header: Header, problems: Problems, within: tuple[str, ...] | None = None) -> None:
        self.header = header
        self.within = within
        self.problems = problems
        self.row = 0
        self.cells: list[str] = []
        self._width = len(header.headings)

    def begin(self, row: Row) -> None:
        """RowRefusedError when the row has more cells than the header (a comma too many shifts everything)."""
        self.row, self.cells = row
        surplus = len(self.cells) - self._width
        if surplus < 0:
            self.cells = self.cells + [""] * -surplus
        elif surplus > 0 and any(cell.strip() for cell in self.cells[self._width :]):
            self.problems.refuse(self.row, "整行", f"{len(self.cells)} 列", TOO_WIDE)
            raise RowRefusedError

    def cell(self, field: str) -> str:
        """The field's cell, "" when the file has no such column."""
        column = self.header.first(field)
        return self.cells[column].strip() if column >= 0 else ""

    def joined(self, field: str) -> str:
        """All columns of a field that may have several, as one cell."""
        columns = self.header.positions.get(field, ())
        return "、".join(self.cells[column] for column in columns if self.cells[column])

    def required(self, field: str, read: Callable[[str], T]) -> T:
        """The field's value; RowRefusedError when it cannot be read."""
        try:
            return read(self.cell(field))
        except cells.CellError as error:
            self.problems.refuse(self.row, self.header.heading(field), error.shown, error.allowed)
            raise RowRefusedError from error

    def optional(self, field: str, read: Callable[[str], T], otherwise: T) -> T:
        """The field's value, or `otherwise` when it is absent, blank or cannot be read (which is noted)."""
        written = self.cell(field)
        if not written:
            return otherwise
        try:
            return read(written)
        except cells.CellError as error:
            self.ignored(field, error)
            return otherwise

    def several(
        self, field: str, read: Callable[[str], tuple[list[str], list[cells.CellError]]]
    ) -> tuple[list[str], bool]:
        """The usable values of a field with several columns, and whether all of them were usable."""
        written = self.joined(field)
        if not written:
            return [], True
        values, errors = read(written)
        for error in errors:
            self.ignored(field, error)
        return values, not errors

    def position(self) -> tuple[float | None, float | None]:
        """(lon, lat), both or neither."""
        try:
            found = cells.position(self.cell("lon"), self.cell("lat"))
        except cells.CellError as error:
            self.ignored("lon" if error.allowed == cells.LON else "lat", error)
            return None, None
        return found or (None, None)

    def region(self, field: str, known: frozenset[str]) -> str:
        """A region code that has been imported; RowRefusedError otherwise."""
        written = self.cell(field)
        if written in known:
            return written
        code = self.required(field, cells.code)
        self.require_inside(field, code)
        if code not in known:
            self.problems.refuse(self.row, self.header.heading(field), code, UNKNOWN_REGION)
            raise RowRefusedError
        return code

    def require_inside(self, field: str, code: str) -> None:
        """RowRefusedError where the import may not touch that region."""
        if self.within is not None and not code.startswith(self.within):
            self.problems.refuse(self.row, self.header.heading(field), code, OUTSIDE)
            raise RowRefusedError

    def ignored(self, field: str, error: cells.CellError) -> None:
        self.problems.ignore(self.row, self.header.heading(field), error.shown, error.allowed)


def batches(
    rows: Iterator[Row], read: Callable[[Row], tuple[object, ...]], size: int
) -> Iterator[tuple[int, list[tuple[object, ...]]]]:
    """(rows seen so far, records) for about every `size` rows; refused rows are left out."""
    seen = 0
    records: list[tuple[object, ...]] = []
    for row in rows:
        seen += 1
        with suppress(RowRefusedError):
            records.append(read(row))
        if seen % size == 0:
            yield seen, records
            records = []
    yield seen, records
