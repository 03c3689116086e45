"""For machines that watch us: alive, ready (and what is not), all the numbers."""

from __future__ import annotations

import msgspec
from aiohttp import web

from broadcaster import readiness
from broadcaster.gauges import Gauge, gauges
from broadcaster.readiness import Check, Fault, Look, Outcome
from broadcaster.web.context import CONTEXT, Context, Probe
from broadcaster.web.metrics import METRICS, Reading

routes = web.RouteTableDef()
READING = web.AppKey("reading", Reading)

_WORDS = {Outcome.OK: "ready", Outcome.DEGRADED: "degraded", Outcome.FAILED: "unready"}
_NUMBERS = {Outcome.OK: 1.0, Outcome.DEGRADED: 0.5, Outcome.FAILED: 0.0}


class Readiness(msgspec.Struct, frozen=True):
    """`status` ready | degraded | unready: the worst of `checks`."""

    status: str
    checks: list[Check]


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    """The process answers; nothing more is asked. Restart it when it does not."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Whether the installation can do its work: 200 ready or degraded, 503 not; and what to do about what is wrong."""
    checks = await _checks(request.app[CONTEXT])
    outcome = readiness.verdict(checks)
    body = msgspec.json.encode(Readiness(_WORDS[outcome], checks))
    status = 503 if outcome is Outcome.FAILED else 200
    return web.Response(status=status, body=body, content_type="application/json")


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Counters of this process, and the gauges of the installation."""
    text = METRICS.text(await request.app[READING].gauges())
    return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def reading(context: Context) -> Reading:
    """What /metrics reads: the gauges, and how every check comes out."""

    async def read() -> list[Gauge]:
        async with context.database.connection() as connection:
            found = await gauges(connection, context.clock.now())
        checks = await _checks(context)
        found += [Gauge("daohu_check", _CHECK, _NUMBERS[check.outcome], {"name": check.name}) for check in checks]
        return [*found, Gauge("daohu_ready", _READY, _NUMBERS[readiness.verdict(checks)])]

    return Reading(read)


async def _checks(context: Context) -> list[Check]:
    others = {
        name: _look(probe, Outcome.DEGRADED if name in context.degrading else Outcome.FAILED)
        for name, probe in context.probes.items()
    }
    return await readiness.examine(context.database, context.settings, others)


def _look(probe: Probe, outcome: Outcome) -> Look:
    async def look() -> Fault | None:
        what = await probe()
        return Fault(what, "请查看日志，并运行 daohu doctor。", outcome) if what else None

    return look


_CHECK = "One check of /readyz: 1 ok, 0.5 degraded, 0 failed."
_READY = "Whether the installation can do its work: 1 ready, 0.5 degraded, 0 not."
