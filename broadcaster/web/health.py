"""For machines that watch us: alive, ready (and what is not), a few numbers."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.resources import files

import msgspec
from aiohttp import web

from broadcaster.database import DATABASE_AWAY
from broadcaster.errors import DaohuError
from broadcaster.web.context import CONTEXT, Context, Probe
from broadcaster.web.metrics import METRICS

_PATIENCE = 3.0  # seconds for one probe
routes = web.RouteTableDef()


class Readiness(msgspec.Struct, frozen=True):
    """`status` ready | degraded | unready; `parts`: "ok" or what is wrong, by part."""

    status: str
    parts: dict[str, str]


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Whether it can do its work: 200 ready or degraded, 503 not."""
    readiness = await look(request.app[CONTEXT])
    status = 503 if readiness.status == "unready" else 200
    return web.Response(status=status, body=msgspec.json.encode(readiness), content_type="application/json")


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Counters of this process, and how ready it is (1 ready, 0.5 degraded, 0 not)."""
    readiness = await look(request.app[CONTEXT])
    ready = {"ready": 1.0, "degraded": 0.5}.get(readiness.status, 0.0)
    text = METRICS.text({"daohu_ready": ready})
    return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def look(context: Context) -> Readiness:
    """Look at every part at once."""
    probes: dict[str, Probe] = {"database": lambda: _database(context), **context.probes}
    found = await asyncio.gather(*(_patiently(probe) for probe in probes.values()))
    faults = {name: fault for name, fault in zip(probes, found, strict=True) if fault}
    status = "ready"
    if faults:
        status = "degraded" if faults.keys() <= context.degrading else "unready"
    return Readiness(status, {name: faults.get(name, "ok") for name in probes})


async def _patiently(probe: Probe) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await probe()
    except (DaohuError, *DATABASE_AWAY) as error:
        return f"{type(error).__name__}"
    except TimeoutError:
        return f"no answer within {_PATIENCE:g} s"


async def _database(context: Context) -> str:
    async with context.database.connection() as connection:
        rows = await connection.fetch("SELECT app, name FROM tortoise_migrations")
    missing = _migrations() - {(row["app"], row["name"]) for row in rows}
    return "" if not missing else "not migrated: " + ", ".join(sorted(name for _, name in missing))


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Every migration that this version of the program brings."""
    folders = {"audiences": files("audiences.migrations"), "broadcaster": files("broadcaster.migrations")}
    names = {(app, file.name) for app, folder in folders.items() for file in folder.iterdir()}
    return frozenset(
        (app, name.removesuffix(".py")) for app, name in names if name[:1].isdigit() and name.endswith(".py")
    )
