"""The alert that somebody names on the command line: by number, identifier, or the reply code of an open one."""

from __future__ import annotations

from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import NotFoundError

LONGEST_NUMBER = 9
"""Digits; identifiers of digits alone are longer."""


async def named(which: str) -> AlertRecord:
    """The alert; `NotFoundError` without one. A number is an id first: whoever reads it in a list reads the id."""
    if which.isascii() and which.isdigit() and len(which) <= LONGEST_NUMBER:
        found = await AlertRecord.get_or_none(id=int(which)) if int(which) < 2**31 else None
        return found or await _by_code(which)
    record = await AlertRecord.get_or_none(identifier=which)
    if record is None:
        raise NotFoundError(f"没有标识为 {which} 的预警。", remedy="请用 daohu status 列出，或检查标识。")
    return record


async def _by_code(code: str) -> AlertRecord:
    for record in await authoring.open_alerts():
        if record.reply_code == code:
            return record
    raise NotFoundError(f"没有编号或回复码为 {code} 的预警。", remedy="请用 daohu status 列出，或检查编号。")
