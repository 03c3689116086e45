"""Photos from outside, for whoever may see the households there."""

from __future__ import annotations

from aiohttp import web

from broadcaster.escalation import photos
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.frame import reader
from broadcaster.web.sight import household_scopes

routes = web.RouteTableDef()


@routes.get(r"/alerts/{id:\d{1,9}}/photos/{photo:\d{1,18}}.jpg")
async def photo(request: web.Request) -> web.StreamResponse:
    """One photo. Another region's does not exist."""
    actor, context = await reader(request), request.app[CONTEXT]
    alert_id = int(request.match_info["id"])
    scopes = await household_scopes(context, actor, alert_id)
    async with context.database.connection() as connection:
        data = await photos.picture(connection, alert_id, int(request.match_info["photo"]), scopes)
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
