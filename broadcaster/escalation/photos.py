"""Photos from outside: kept as files below one folder, listed in the database, shown only where rights allow."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import datetime
from pathlib import Path

import structlog

from broadcaster.database import Connection, Database
from broadcaster.errors import LimitedError, NotFoundError, UnavailableError
from broadcaster.escalation.posts import SQL, Post
from broadcaster.responses.picture import Picture, harmless

MOST = 24
"""Photos of one unit under one alert."""

_AT_ONCE = asyncio.Semaphore(2)
"""Decoding takes a processor and up to 200 MB: whoever comes third waits."""

log = structlog.get_logger()


async def keep(database: Database, folder: Path, post: Post, data: bytes, now: datetime, *, key: str) -> bool:
    """Keep a photo of a unit below `folder`, re-encoded. False: it was kept before.

    `InputError` when it is no picture or too large, `LimitedError` when the unit has sent `MOST`, `UnavailableError`
    when the disk takes nothing more; `RuleError` and `ForbiddenError` as `Post.require`.
    """
    person_id = post.require()
    name = post.name(key)
    async with database.connection() as connection:
        if await connection.fetchval(SQL["photo_known"], name):
            return False
        await _require_room(connection, post)
    async with _AT_ONCE:
        picture = await asyncio.to_thread(harmless, data)
    file = f"alert-{post.alert_id}/{secrets.token_hex(16)}.jpg"
    await asyncio.to_thread(_write, folder / file, picture)
    stored = False
    try:
        stored = await _list(database, post, person_id, name, file, picture, now)
    finally:
        if not stored:
            (folder / file).unlink(missing_ok=True)
    if stored:
        log.info("field.photo", alert=post.alert_id, unit=post.unit_id, bytes=len(picture.data))
    return stored


async def path(connection: Connection, folder: Path, alert_id: int, photo_id: int, scopes: tuple[str, ...]) -> Path:
    """The file of a photo; `NotFoundError` when there is none inside the regions `scopes`."""
    file = await connection.fetchval(SQL["photo_file"], alert_id, photo_id, list(scopes))
    if file is None:
        raise NotFoundError("没有这张照片。", remedy="请从预警页面的“现场上报”中打开。")
    return folder / str(file)


async def _list(
    database: Database, post: Post, person_id: int, name: str, file: str, picture: Picture, now: datetime
) -> bool:
    async with database.transaction() as connection:
        await connection.execute(SQL["lock_unit"], post.unit_id)  # several at once: each is counted
        if await connection.fetchval(SQL["photo_known"], name):
            return False
        await _require_room(connection, post)
        values = (name, file, len(picture.data), picture.width, picture.height, now)
        await connection.execute(SQL["photo"], post.alert_id, post.unit_id, person_id, *values)
    return True


async def _require_room(connection: Connection, post: Post) -> None:
    if await connection.fetchval(SQL["photos_of"], post.alert_id, post.unit_id) >= MOST:
        raise LimitedError(f"每个责任单元最多 {MOST} 张照片。", after=3600, remedy="请把情况写在说明里，或致电值班室。")


def _write(path: Path, picture: Picture) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".partial")
        with draft.open("xb") as file:
            file.write(picture.data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        raise UnavailableError("照片存不下。", remedy="请稍后重试，或致电值班室。") from error
