"""The report of an alert: on the page, as PDF, as a workbook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import RuleError
from broadcaster.recent import Recent
from broadcaster.report.account import Account, account
from broadcaster.security.permissions import Action, scopes
from broadcaster.web.context import CONTEXT
from broadcaster.web.documents import pdf, tables, xlsx
from broadcaster.web.documents.phrases import Phrases
from broadcaster.web.language import chosen
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.live_parts import shares
from broadcaster.web.sight import seen
from broadcaster.web.workbook import XLSX

routes = web.RouteTableDef()


class Accounts:
    """The accounts read last, each for as long as nothing about its alert changes but time: one takes a second for a
    million deliveries."""

    FRESH = 10.0  # seconds

    def __init__(self) -> None:
        self._kept: Recent[tuple[int, tuple[str, ...]], tuple[float, asyncio.Task[Account | None]]] = Recent(50)

    async def of(self, request: web.Request, record: AlertRecord, see: tuple[str, ...]) -> Account | None:
        """The account of an alert, at most `FRESH` seconds old; two who ask at once wait for one reading."""
        loop, key = asyncio.get_running_loop(), (record.id, see)
        found = self._kept.get(key)
        if found is None or loop.time() - found[0] > self.FRESH or (found[1].done() and found[1].exception()):
            found = loop.time(), asyncio.create_task(_read(request, record, see), name=f"account-{record.id}")
            self._kept[key] = found
        return await asyncio.shield(found[1])


ACCOUNTS = web.AppKey("accounts", Accounts)


def prepare(app: web.Application) -> None:
    """What the pages here share, put into the application."""
    app[ACCOUNTS] = Accounts()


@routes.get(r"/alerts/{id:\d{1,9}}/report")
async def report(request: web.Request) -> web.Response:
    """As a page that prints well, with the course over time as a chart and as a table."""
    actor = await reader(request)
    record, found = await _found(request)
    phrases = Phrases(chosen(request))
    return framed(
        request,
        actor,
        "console/live/report.html",
        record=record,
        found=found,
        parts={"shares": shares(found.progress)},
        summary=tables.summary(found, phrases),
        tables=tables.tables(found, phrases),
        chart=tables.chart(found, phrases),
    )


@routes.get(r"/alerts/{id:\d{1,9}}/report.pdf")
async def as_pdf(request: web.Request) -> web.Response:
    """The same as PDF, with bookmarks."""
    return await _document(request, "pdf", "application/pdf", pdf.write)


@routes.get(r"/alerts/{id:\d{1,9}}/report.xlsx")
async def as_workbook(request: web.Request) -> web.Response:
    """The same as a workbook, a sheet for each table."""
    return await _document(request, "xlsx", XLSX, xlsx.write)


async def _document(
    request: web.Request, ending: str, media: str, write: Callable[[Account, Phrases, str], bytes]
) -> web.Response:
    record, found = await _found(request)
    district = request.app[CONTEXT].settings.district.name
    body = await asyncio.to_thread(write, found, Phrases(chosen(request)), district)
    response = web.Response(body=body, content_type=media)
    response.headers["Content-Disposition"] = f'attachment; filename="report-{record.id}.{ending}"'
    return response


async def _found(request: web.Request) -> tuple[AlertRecord, Account]:
    """The alert and its account; `RuleError` for one that was never issued."""
    actor = await reader(request)
    record = await seen(request.app[CONTEXT], actor, int(request.match_info["id"]))
    found = await request.app[ACCOUNTS].of(request, record, scopes(actor, Action.SEE_HOUSEHOLDS))
    if found is None:
        raise RuleError("这条预警尚未发布，没有可以总结的。", remedy="请先批准并发布。")
    return record, found


async def _read(request: web.Request, record: AlertRecord, see: tuple[str, ...]) -> Account | None:
    context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        return await account(connection, record, context.settings.targets, see, context.clock.now())
