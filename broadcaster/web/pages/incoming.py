"""What other machines have told us: the list with its verdicts, one message with its reasons and its text, and what an
officer does about it."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlencode

from aiohttp import web

from audiences import region_tree
from broadcaster.alerts.drafts import Author
from broadcaster.errors import InputError
from broadcaster.intake import handling, listing, posting
from broadcaster.intake.becoming import State
from broadcaster.security.permissions import Action, Actor, require_somewhere, scopes
from broadcaster.triggers import rules
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.incoming import seen
from broadcaster.web.pages.console import by_rule
from broadcaster.web.pages.forms import fields
from broadcaster.web.pages.frame import Section, framed, reader

PAGE = 50
SHOWN = 200_000
"""Characters of a message's own text that a page shows."""

_ONE = r"/incoming/{id:\d{1,18}}"
_NAMED_MOST = 20
_USABLE = frozenset({State.WAITING, State.OUTSIDE, State.EXPIRED, State.REPLACED, State.DONE, State.REPEATED})
SECTION = Section("/incoming", "收到的消息", Action.CREATE)
routes = web.RouteTableDef()


@routes.get("/incoming")
async def overview(request: web.Request) -> web.Response:
    """The latest messages, filtered by what became of them and by their source."""
    actor, context = await reader(request), request.app[CONTEXT]
    within = require_somewhere(actor, Action.SEE)
    state, source, before = _filter(request, context)
    async with context.database.connection() as connection:
        found = await listing.incoming(
            connection,
            within,
            context.settings.district.code,
            before=before,
            state=state,
            source=source,
            limit=PAGE,
        )
    chosen = {name: value for name, value in (("state", state), ("source", source)) if value}
    return framed(
        request,
        actor,
        "console/incoming/overview.html",
        messages=found,
        next=found[-1].id if len(found) == PAGE else 0,
        filter=urlencode(chosen),
        state=state,
        source=source,
        states=[one.value for one in State],
        sources=_sources(context),
    )


@routes.get(_ONE)
async def message(request: web.Request) -> web.Response:
    """One message: what it says, what it was worth and why, what became of it, and its text."""
    actor, context = await reader(request), request.app[CONTEXT]
    require_somewhere(actor, Action.SEE)
    one, document = await seen(context, actor, int(request.match_info["id"]))
    async with context.database.connection() as connection:
        places = await region_tree.named(connection, one.regions[:_NAMED_MOST])
        repeats = await listing.repeats(connection, one.id)
        events = await rules.of_message(connection, one.id)
    return framed(
        request,
        actor,
        "console/incoming/message.html",
        one=one,
        text=document.decode("utf-8", "replace")[:SHOWN],
        cut=len(document) > SHOWN,
        words=await context.intake.words(one.source, document),
        places=[place.name for place in places],
        repeats=repeats,
        **by_rule(context, actor, events, places),
        **_offered(actor, one),
    )


@routes.post(_ONE + "/draft")
async def draft(request: web.Request) -> NoReturn:
    """Make a draft of it, or open the one that is there."""
    actor, context = await reader(request), request.app[CONTEXT]
    await fields(request)
    require_somewhere(actor, Action.CREATE)
    one, _ = await seen(context, actor, int(request.match_info["id"]))
    author = Author(actor.account_id, actor.name)
    key = await handling.draft(context.intake, one.id, author, context.clock.now())
    raise web.HTTPSeeOther(f"/compose/{key}")


@routes.post(_ONE + "/aside")
async def aside(request: web.Request) -> NoReturn:
    """Nothing is to be done about it."""
    actor, context = await reader(request), request.app[CONTEXT]
    await fields(request)
    require_somewhere(actor, Action.CREATE)
    one, _ = await seen(context, actor, int(request.match_info["id"]))
    await handling.set_aside(context.database, one.id, Author(actor.account_id, actor.name), context.clock.now())
    raise web.HTTPSeeOther("/incoming?state=waiting&said=incoming_aside")


def _offered(actor: Actor, one: listing.Incoming) -> dict[str, Any]:
    """The buttons that make sense for this reader and this message."""
    may = bool(scopes(actor, Action.CREATE))
    return {
        "may_draft": may and one.draft_key is None and one.state in _USABLE,
        "may_open": may and one.draft_key is not None and one.alert_id is None,
        "may_set_aside": may and one.state == State.WAITING,
    }


def _sources(context: Context) -> list[str]:
    """Where messages come from: the sources of the settings, and the interface for alerts."""
    return [*(one.name for one in context.settings.sources), posting.SOURCE]


def _filter(request: web.Request, context: Context) -> tuple[str, str, int]:
    state, source = request.query.get("state", ""), request.query.get("source", "")
    before = request.query.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise InputError("页码不对。", remedy="请从列表第一页开始。")
    return (
        state if state in list(State) else "",
        source if source in _sources(context) else "",
        int(before) if before else listing.LAST_NUMBER,
    )
