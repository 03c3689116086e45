"""Photos from outside: kept in the database beside their list, so that every process has them; shown only where rights
allow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from broadcaster.database import Connection, Database
from broadcaster.errors import ArchivedError, LimitedError, NotFoundError
from broadcaster.escalation.posts import SQL, Post
from broadcaster.responses.picture import Picture, harmless

MOST = 24
"""Photos of one unit under one alert."""

_AT_ONCE = asyncio.Semaphore(2)
"""Decoding takes a processor and up to 250 MB: whoever comes third waits."""

log = structlog.get_logger()


async def keep(database: Database, post: Post, data: bytes, now: datetime, *, key: str) -> bool:
    """Keep a photo of a unit, re-encoded. False: it was kept before.

    `InputError` when it is no picture or too large, `LimitedError` when the unit has sent `MOST`; `RuleError` and
    `ForbiddenError` as `Post.require`.
    """
    person_id = post.require()
    name = post.name(key)
    async with database.connection() as connection:
        if await connection.fetchval(SQL["photo_known"], name):
            return False
        await _require_room(connection, post)
    async with _AT_ONCE:
        picture = await asyncio.to_thread(harmless, data)
    stored = await _store(database, post, person_id, name, picture, now)
    if stored:
        log.info("field.photo", alert=post.alert_id, unit=post.unit_id, bytes=len(picture.data))
    return stored


async def picture(connection: Connection, alert_id: int, photo_id: int, scopes: Sequence[str]) -> bytes:
    """A photo as JPEG; `NotFoundError` when there is none inside the regions `scopes`, `ArchivedError` for one that has
    left with its alert."""
    row = await connection.fetchrow(SQL["picture"], alert_id, photo_id, list(scopes))
    if row is None:
        raise NotFoundError("没有这张照片。", remedy="请从预警页面的“现场上报”中打开。")
    if row["data"] is None:
        raise ArchivedError(
            "这张照片已随预警归档。",
            remedy="请管理员查阅归档目录中的 %(folder)s/field_picture.csv.gz。",
            folder=await connection.fetchval("SELECT folder FROM archive WHERE alert_id = $1", alert_id),
        )
    data: bytes = row["data"]
    return data


async def _store(database: Database, post: Post, person_id: int, name: str, picture: Picture, now: datetime) -> bool:
    async with database.transaction() as connection:
        await connection.execute(SQL["lock_unit"], post.unit_id)  # several at once: each is counted
        if await connection.fetchval(SQL["photo_known"], name):
            return False
        await _require_room(connection, post)
        values = (name, picture.data, picture.width, picture.height, now)
        await connection.execute(SQL["photo"], post.alert_id, post.unit_id, person_id, *values)
    return True


async def _require_room(connection: Connection, post: Post) -> None:
    if await connection.fetchval(SQL["photos_of"], post.alert_id, post.unit_id) >= MOST:
        raise LimitedError(
            "每个责任单元最多 %(most)s 张照片。", after=3600, remedy="请把情况写在说明里，或致电值班室。", most=MOST
        )
