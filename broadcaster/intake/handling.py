"""What an officer does with a message: make a draft of it, or set it aside."""

from __future__ import annotations

from datetime import datetime

from broadcaster.alerts.drafts import Author
from broadcaster.database import Database
from broadcaster.errors import ConflictError, RuleError
from broadcaster.intake import drafting, listing, words
from broadcaster.intake.lineage import descent
from broadcaster.intake.settling import Intake
from broadcaster.intake.sql import SQL
from broadcaster.security import audit

_NOT_USABLE = ("new", "refused", "noted")


async def draft(intake: Intake, number: int, author: Author, now: datetime) -> str:
    """Make a draft of a message in the name of `author`, or find the one that is there; its key. Where its area is not
    known the form's is left open."""
    async with intake.database.connection() as connection:
        message, document = await listing.one(connection, number)
    if message.draft_key is not None:
        return message.draft_key
    judged, where = await intake.look(message.source, document)
    if judged.alert is None or message.state in _NOT_USABLE:
        raise RuleError("这条消息不能用来起草。", remedy="请查看理由；需要时请直接起草。")
    async with intake.database.transaction() as connection:
        row = await connection.fetchrow(SQL["hold"], number)
        if row is None or row["draft_key"] is not None:
            raise ConflictError("这条消息已经有人处理过了。", remedy="请刷新页面。")
        before = await descent(connection, judged.alert)
        begun = await drafting.begin(connection, judged.alert, where, author, now, before.ours)
        values = (begun.key, message.note, now, author.name, words.kept(message.note))
        await connection.execute(SQL["drafted"], number, *values)
        detail, subject = {"source": message.source}, f"incoming {number}"
        await audit.append(connection, author.account_id, "incoming.draft", now, subject=subject, detail=detail)
    return begun.key


async def set_aside(database: Database, number: int, author: Author, now: datetime) -> None:
    """Nothing is to be done about it; `ConflictError` when somebody has done something already."""
    async with database.transaction() as connection:
        if await connection.fetchval(SQL["set_aside"], number, now, author.name) is None:
            raise ConflictError("这条消息已经有人处理过了。", remedy="请刷新页面。")
        await audit.append(connection, author.account_id, "incoming.aside", now, subject=f"incoming {number}")
