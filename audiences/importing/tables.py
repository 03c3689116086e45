"""Opening a roster as rows of text, whatever its form, without ever holding the file in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audiences.errors import FileError
from audiences.importing.columns import Row
from audiences.importing.csv_file import CsvFile
from audiences.importing.xlsx_file import XlsxFile

MAX_ROWS = 5_000_000
MAX_COLUMNS = 256
MAX_CELL = 32_767  # what a spreadsheet cell can hold


class Table:
    """An open roster: its rows (numbered from 1, blank ones left out), and how far it has been read (0 to 1)."""

    def __init__(self, source: CsvFile | XlsxFile) -> None:
        self._source = source

    @property
    def fraction(self) -> float:
        return self._source.fraction

    def rows(self) -> Iterator[Row]:
        """FileError when the file turns out to be longer, wider or otherwise not what it seemed."""
        for number, cells in self._source.rows():
            if number > MAX_ROWS:
                raise FileError(f"文件超过 {MAX_ROWS} 行。", remedy="请按乡镇拆分后分别导入。")
            if len(cells) > MAX_COLUMNS:
                raise FileError(f"第 {number} 行超过 {MAX_COLUMNS} 列。", remedy="请检查分隔符，或删除多余的列。")
            if any(cells):
                yield number, cells


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The roster at `path` (.csv or .xlsx); FileError when there is none or it is in another form."""
    if not path.is_file():
        raise FileError(f"没有这个文件：{path}。", remedy="请检查路径。")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        with CsvFile(path, MAX_CELL) as source:
            yield Table(source)
    elif suffix == ".xlsx":
        with XlsxFile(path, max_columns=MAX_COLUMNS, max_cell=MAX_CELL) as source:
            yield Table(source)
    else:
        raise FileError(
            f"不支持的文件格式“{suffix or path.name}”。",
            remedy="请另存为 .csv 或 .xlsx（旧版 .xls 与带宏的 .xlsm 不接受）。",
        )
