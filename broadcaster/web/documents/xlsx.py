"""The report as a workbook: a sheet for the figures, one for each table."""

from __future__ import annotations

from broadcaster.report.account import Account
from broadcaster.web.documents import tables
from broadcaster.web.documents.phrases import Phrases
from broadcaster.web.workbook import Sheet


def write(found: Account, phrases: Phrases, district: str) -> bytes:
    """The file."""
    with Sheet(phrases.say("总结报告"), (phrases.say("项目"), district)) as sheet:
        sheet.write(tables.summary(found, phrases))
        for table in tables.tables(found, phrases):
            sheet.sheet(table.title, table.head)
            sheet.write(table.rows)
        return sheet.finish().read_bytes()
