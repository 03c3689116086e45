"""How an API route is declared: once, with the types its handler uses; the OpenAPI document is read off it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web

from broadcaster.alerts.form_errors import convert
from broadcaster.errors import (
    DaohuError,
    ForbiddenError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from broadcaster.options import faults
from broadcaster.phrase import joined
from broadcaster.security.permissions import SYSTEM, Action, Actor, require_somewhere
from broadcaster.web.authentication import caller
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.idempotency import Kept, Repeatable, once

JSON = "application/json"
ALWAYS: tuple[type[DaohuError], ...] = (InputError, UnauthenticatedError, ForbiddenError, UnavailableError)
"""The problems that any endpoint that asks who is calling may answer with."""

Body = TypeVar("Body")
Query = TypeVar("Query")
Reader = Callable[[Context, bytes], Any]  # what it gives is the endpoint's `body`

Refused = Callable[[Context, web.Request, Actor, bytes, DaohuError], Awaitable[None]]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No body, or no query parameters."""


class Created(msgspec.Struct, frozen=True):
    """An answer of status 201, and where the new thing is."""

    location: str
    value: Any


@dataclass(frozen=True, slots=True)
class Call(Generic[Body, Query]):
    """One request as its handler sees it: who asks, and what, checked and typed. `id` is the path's number, else 0;
    `number` reads any further one.

    What is put into `afterwards` runs once everything is committed, also when the answer is repeated.
    """

    context: Context
    request: web.Request
    actor: Actor
    body: Body
    query: Query
    id: int
    afterwards: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    def number(self, name: str) -> int:
        """The whole number that stands in the path at `{name}`; `NotFoundError` for anything else."""
        return _number(self.request, name)


Handler = Callable[[Call[Body, Query]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route.

    `answers` None: the handler streams `media` itself. `reads`: by request type, how to make `body` of the bytes, where
    it is not JSON of that very type; `form` is then what the JSON looks like. Every `{name}` in the path is a whole
    number. `unhurried`: it is never cut off by our time limit. `refused` is told of a body that was refused, and why,
    once everything is undone.
    """

    method: str
    path: str
    summary: str
    handler: Handler[Any, Any]
    body: type[Any]
    form: type[Any]
    query: type[Any]
    answers: Any
    status: int
    action: Action | None
    public: bool
    problems: tuple[type[DaohuError], ...]
    media: str
    reads: Mapping[str, Reader]
    unhurried: bool
    refused: Refused | None

    @property
    def name(self) -> str:
        """The handler's name: the operation's id in the OpenAPI document."""
        return str(getattr(self.handler, "__name__", self.path))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: who, what, once, and in JSON."""
        context = request.app[CONTEXT]
        actor = SYSTEM if self.public else await caller(request)
        if self.action is not None:
            require_somewhere(actor, self.action)
        raw = await request.read() if self.body is not Nothing else b""
        try:
            return await self._answer(context, request, actor, raw)
        except DaohuError as fault:
            if self.refused is not None and not isinstance(fault, UnavailableError):
                await self.refused(context, request, actor, raw, fault)
            raise

    async def _answer(self, context: Context, request: web.Request, actor: Actor, raw: bytes) -> web.StreamResponse:
        call: Call[Any, Any] = Call(
            context,
            request,
            actor,
            body=self._read_body(context, request, raw),
            query=self._read_query(request),
            id=_number(request, "id"),
        )
        key = request.headers.get("Idempotency-Key")
        if self.method == "POST" and key is not None:
            repeatable = Repeatable.of(actor.account_id, key, self.method, request.path_qs, raw)
            kept = await once(context.database, repeatable, context.clock.now(), lambda: self._work(call))
        elif self.answers is None:
            streamed: web.StreamResponse = await self.handler(call)
            return streamed
        else:
            kept = await self._work(call)
        for deed in call.afterwards:
            await deed()
        return _response(kept, self.media)

    async def _work(self, call: Call[Any, Any]) -> Kept:
        value = await self.handler(call)
        if isinstance(value, Created):
            return Kept(201, value.location, msgspec.json.encode(value.value))
        return Kept(self.status, "", msgspec.json.encode(value))

    def _read_body(self, context: Context, request: web.Request, raw: bytes) -> Any:
        if self.body is Nothing:
            return Nothing()
        media = request.content_type if "Content-Type" in request.headers else JSON
        if media in self.reads:
            return self.reads[media](context, raw)
        if media != JSON:
            known = joined("、", dict.fromkeys((JSON, *self.reads)))
            raise InputError("不支持内容类型 %(media)s。", remedy="请用 %(known)s。", media=media[:80], known=known)
        return convert(raw or b"{}", self.body)

    def _read_query(self, request: web.Request) -> Any:
        given = dict(request.query)
        if len(given) != len(request.query):
            raise InputError("查询参数重复。", remedy="每个参数只写一次。")
        if any("\0" in text for text in given.values()):
            raise InputError("查询参数中有零字节。", remedy="请去掉后重试。")
        try:
            return msgspec.convert(given, type=self.query, strict=False)
        except msgspec.ValidationError as error:
            raise InputError(
                "查询参数不对：%(faults)s。",
                remedy="请对照 /api/v1/openapi.json 改正。",
                faults=joined("；", faults(given, self.query)),
            ) from error


class Table:
    """The endpoints of one noun, in the order they are declared."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self._endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints)

    def endpoint(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        answers: Any,
        form: type[Any] | None = None,
        body: type[Body] = Nothing,  # type: ignore[assignment]  # mypy: a default for a type variable
        query: type[Query] = Nothing,  # type: ignore[assignment]
        status: int = 200,
        action: Action | None = None,
        public: bool = False,
        problems: Sequence[type[DaohuError]] = (),
        media: str = JSON,
        reads: Mapping[str, Reader] | None = None,
        unhurried: bool = False,
        refused: Refused | None = None,
    ) -> Callable[[Handler[Body, Query]], Handler[Body, Query]]:
        """Declare a route; see `Endpoint`."""

        def declare(handler: Handler[Body, Query]) -> Handler[Body, Query]:
            self._endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    summary=summary,
                    handler=handler,
                    body=body,
                    form=form or body,
                    query=query,
                    answers=answers,
                    status=status,
                    action=action,
                    public=public,
                    problems=(*(() if public else ALWAYS), *problems),
                    media=media,
                    reads=reads or {},
                    unhurried=unhurried,
                    refused=refused,
                )
            )
            return handler

        return declare


def _number(request: web.Request, name: str) -> int:
    text = request.match_info.get(name, "0")
    if len(text) > 9 or not text.isascii() or not text.isdigit():
        raise NotFoundError("没有这条记录。", remedy="请检查编号。")
    return int(text)


def _response(kept: Kept, media: str) -> web.Response:
    response = web.Response(status=kept.status, body=kept.body, content_type=media)
    if kept.location:
        response.headers["Location"] = kept.location
    if kept.repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return response
