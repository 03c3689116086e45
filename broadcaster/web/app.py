"""The web application: every route, and what goes round them. Composition makes a `Context` and passes it in."""

from __future__ import annotations

import msgspec
from aiohttp import web

from broadcaster.triggers.readings import Readings
from broadcaster.web import callbacks, feeds, health
from broadcaster.web.api import TABLES
from broadcaster.web.api.progress import current_live
from broadcaster.web.api.readings import READINGS
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.envelope import envelope, finish
from broadcaster.web.live import LIVE, UNHURRIED, Live, Pace
from broadcaster.web.openapi import document
from broadcaster.web.pages import audit, link, live_page, public, report_page
from broadcaster.web.pages.everything import add_pages
from broadcaster.web.pages.rendering import error_page
from broadcaster.web.pages.verification import Verification
from broadcaster.web.shelf import Shelf
from broadcaster.web.static_files import STATIC
from broadcaster.web.visitors import Entrance, Visitors, places

LARGEST_BODY = 2 * 1024 * 1024  # bytes; a CAP message with a picture in it
_OPENAPI = web.AppKey("openapi", bytes)
_VISITORS = web.AppKey("visitors", Visitors)
routes = web.RouteTableDef()


def build_app(context: Context, *, pace: Pace = UNHURRIED) -> web.Application:
    """The application, ready to be served (see `start`). `pace` is that of live progress."""
    visitors = Visitors(context.clock)
    app = web.Application(middlewares=[visitors.middleware, envelope(error_page)], client_max_size=LARGEST_BODY)
    app[CONTEXT] = context
    app[_VISITORS] = visitors
    app[READINGS] = Readings(context.database, context.clock, context.settings.readings.keep)
    app[health.READING] = health.reading(context)
    app[LIVE] = Live(lambda alert_id: current_live(context, alert_id), context.clock, pace)
    app[link.THROTTLES] = link.throttles()
    app[public.SHELF] = Shelf()
    app[callbacks.TABLE] = callbacks.Table()
    app[audit.VERIFICATION] = Verification(context.database)
    live_page.prepare(app)
    report_page.prepare(app)
    app[_OPENAPI] = msgspec.json.encode(document(TABLES, context.settings.web.public_url))
    for table in TABLES:
        for endpoint in table:
            app.router.add_route(endpoint.method, endpoint.path, endpoint.handle)
    for outside in (routes, health.routes, feeds.routes, callbacks.routes):
        app.add_routes(outside)
    add_pages(app)
    app.router.add_static("/static", STATIC)
    app.on_response_prepare.append(finish)
    app.on_shutdown.append(_stop_watching)
    return app


async def start(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve `app` until the runner's `cleanup()`. The access log is ours, without addresses and tokens.

    Nothing is unpacked on the way in: three megabytes from anybody would stop the process for seconds.
    """
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=75, shutdown_timeout=10, auto_decompress=False)
    await runner.setup()
    await Entrance(runner, app[_VISITORS], host, port, places()).start()
    return runner


@routes.get("/api/v1/openapi.json")
async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document of the machine interface."""
    return web.Response(body=request.app[_OPENAPI], content_type="application/json")


async def _stop_watching(app: web.Application) -> None:
    await app[LIVE].close()
    await app[audit.VERIFICATION].close()
