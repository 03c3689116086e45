"""What other machines tell us: handed in, listed, read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec

from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, NotFoundError
from broadcaster.intake import listing
from broadcaster.intake.becoming import State
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.phrase import Texts, said
from broadcaster.security.permissions import Action, require, require_somewhere
from broadcaster.sources import Item
from broadcaster.web.api.alerts import CAP
from broadcaster.web.context import Context
from broadcaster.web.endpoint import JSON, Call, Nothing, Table
from broadcaster.web.incoming import seen
from broadcaster.web.language import catalogue, spoken

table = Table("incoming")


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document of a source's own kind, as text: a message, an envelope, an index."""

    document: Annotated[str, msgspec.Meta(min_length=1)]


class Taken(msgspec.Struct, frozen=True):
    """`offered` messages were in the document; `new` are the numbers of those that had not come before. They are kept;
    what becomes of each is told under its number a moment later."""

    offered: int
    new: list[int]


class IncomingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was received and what became of it (`state`), with the reasons (`reasons`, `note`). `alert_id` is
    the alert that its draft has become. Reasons and note are in the language that Accept-Language prefers."""

    id: int
    source: str
    received_at: datetime
    state: State
    verdict: str
    signature: str
    reasons: tuple[str, ...]
    note: str
    identifier: str
    sender: str
    sent_at: datetime | None
    status: str
    msg_type: str
    hazard: str
    colour: str
    headline: str
    area: str
    expires_at: datetime | None
    regions: tuple[str, ...]
    place: str
    refers: tuple[str, ...]
    same_as: int | None
    draft_key: str | None
    alert_id: int | None


class IncomingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A message and its text; what is no UTF-8 is replaced."""

    message: IncomingMessage
    document: str


class IncomingPage(msgspec.Struct, frozen=True):
    """One page, newest first; `next` is the `before` of the page after it, null at the end."""

    messages: list[IncomingMessage]
    next: int | None


class IncomingQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`before`: only messages with a smaller number."""

    state: State | None = None
    source: str = ""
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] = 2**63 - 1
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class SourceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`source`: whose message it is, by the name in the settings."""

    source: str


def _as_it_is(_: Context, raw: bytes) -> bytes:
    return raw


def _of_json(_: Context, raw: bytes) -> bytes:
    try:
        return msgspec.json.decode(raw, type=Document).document.encode("utf-8")
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise InputError("请求不是所约定的 JSON。", remedy='应为 {"document": "…"}，或直接提交 XML。') from problem


@table.endpoint(
    "POST",
    "/api/v1/incoming",
    "Hand in a message of a source",
    body=bytes,
    form=Document,
    query=SourceQuery,
    reads={JSON: _of_json, CAP: _as_it_is, "application/xml": _as_it_is, "text/xml": _as_it_is},
    answers=Taken,
    status=202,
    action=Action.CREATE,
    problems=(NotFoundError,),
)
async def hand_in(call: Call[bytes, SourceQuery]) -> Taken:
    """Keep it; it is judged like a message that was fetched. For callers who may write for the whole district."""
    context = call.context
    require(call.actor, Action.CREATE, (context.settings.district.code,))
    settings = context.settings.source_named(call.query.source)
    _, source = context.intake.sources[settings.name]
    found = [Item(document) for document in source.messages(call.body)]
    new = await LedgerShelf(context.database, context.clock, settings.name).take(found)
    call.afterwards.append(lambda: context.bell.ring(WORK))
    return Taken(len(found), new)


@table.endpoint(
    "GET",
    "/api/v1/incoming",
    "List received messages, newest first",
    query=IncomingQuery,
    answers=IncomingPage,
    action=Action.SEE,
)
async def list_incoming(call: Call[Nothing, IncomingQuery]) -> IncomingPage:
    """Those that touch a region the caller may see; what has no place here belongs to the whole district."""
    query, context = call.query, call.context
    async with context.database.connection() as connection:
        found = await listing.incoming(
            connection,
            require_somewhere(call.actor, Action.SEE),
            context.settings.district.code,
            before=query.before,
            state=query.state.value if query.state else "",
            source=query.source.replace("\0", ""),
            limit=query.limit,
        )
    texts = catalogue(spoken(call.request))
    return IncomingPage([_shown(one, texts) for one in found], found[-1].id if len(found) == query.limit else None)


@table.endpoint(
    "GET",
    "/api/v1/incoming/{id}",
    "Read a received message",
    answers=IncomingDetail,
    action=Action.SEE,
    problems=(NotFoundError,),
)
async def read_incoming(call: Call[Nothing, Nothing]) -> IncomingDetail:
    """What it says, what it was worth, what became of it, and its text."""
    message, document = await seen(call.context, call.actor, call.id)
    shown = _shown(message, catalogue(spoken(call.request)))
    return IncomingDetail(message=shown, document=document.decode("utf-8", "replace"))


def _shown(message: listing.Incoming, texts: Texts) -> IncomingMessage:
    """The message with its note and reasons in the caller's language."""
    reasons = tuple(said(one, texts) for one in message.reasons)
    message = replace(message, note=said(message.note, texts), reasons=reasons)
    return msgspec.convert(message, IncomingMessage, from_attributes=True)
