"""How far an alert has come: counts, and the same counts live."""

from __future__ import annotations

import contextlib

import msgspec
from aiohttp import web

from broadcaster.errors import LimitedError, NotFoundError
from broadcaster.progress import DoorTasks, Households, Progress, Units, progress
from broadcaster.report.sql import SQL as REPORT
from broadcaster.security.permissions import Action
from broadcaster.web.context import Context
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.live import LIVE, event
from broadcaster.web.sight import seen
from broadcaster.web.sql import SQL

table = Table("progress")


class LiveProgress(msgspec.Struct, frozen=True):
    """What changes while people watch; villages are left to `progress`, there may be hundreds.

    `helps`: calls for help that nobody has closed; `notices`: what the duty desk has to do, those included. `cries`:
    every time that somebody has asked for help; `escalation`: the last thing that was done about silence;
    `report`: the last report from outside; `standing`: a mark that changes with the alert's own state, and with what
    rules and sources are about to do with it.
    """

    alert_id: int
    planned: bool
    deliveries: dict[str, int]
    channels: dict[str, dict[str, int]]
    households: Households
    units: Units
    door_tasks: DoorTasks
    duplicates: int
    helps: int
    notices: int
    cries: int
    escalation: int
    report: int
    standing: str


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/progress",
    "Counts by state, channel and village; households; units",
    answers=Progress,
    action=Action.SEE,
    problems=(NotFoundError,),
)
async def read_progress(call: Call[Nothing, Nothing]) -> Progress:
    """Read from counters, never from the deliveries."""
    await seen(call.context, call.actor, call.id)
    return await current(call.context, call.id)


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/events",
    "Progress as server-sent events",
    answers=None,
    action=Action.SEE,
    problems=(NotFoundError, LimitedError),
    media="text/event-stream",
)
async def watch_progress(call: Call[Nothing, Nothing]) -> web.StreamResponse:
    """One `progress` event for each state; `Last-Event-ID` spares the one that was seen."""
    await seen(call.context, call.actor, call.id)
    request = call.request
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    live = request.app[LIVE]
    live.admit()
    await response.prepare(request)
    await response.write(event(None))
    watch = live.watch(call.id, request.headers.get("Last-Event-ID", ""))
    async with contextlib.aclosing(watch) as snapshots:
        async for snapshot in snapshots:
            await response.write(event(snapshot))
    return response


async def current(context: Context, alert_id: int) -> Progress:
    """The progress now."""
    async with context.database.connection() as connection:
        return await progress(connection, alert_id)


async def current_live(context: Context, alert_id: int) -> LiveProgress:
    """The progress now, as watchers get it."""
    async with context.database.connection() as connection:
        now = await progress(connection, alert_id)
        helps = await connection.fetchval(SQL["open_helps"], alert_id)
        notices = await connection.fetchval(SQL["open_notices"], alert_id)
        marks = await connection.fetchrow(REPORT["marks"], alert_id)
        standing = await connection.fetchval(REPORT["standing"], alert_id)
    shown = (name for name in LiveProgress.__struct_fields__ if hasattr(now, name))
    return LiveProgress(
        **{name: getattr(now, name) for name in shown}, helps=helps, notices=notices, standing=standing, **dict(marks)
    )
