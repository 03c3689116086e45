"""Errors as RFC 9457 problem documents: one table from the closed tree of errors to HTTP status codes."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

from broadcaster.errors import (
    ArchivedError,
    ConflictError,
    DaohuError,
    ForbiddenError,
    InputError,
    LimitedError,
    NotFoundError,
    RuleError,
    SettingsError,
    UnauthenticatedError,
    UnavailableError,
)
from broadcaster.phrase import Texts, said

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[DaohuError], int] = {
    InputError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    ArchivedError: 410,
    RuleError: 422,
    LimitedError: 429,
    SettingsError: 500,
    UnavailableError: 503,
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457). `code` names the kind for machines, `remedy` the next step for people.

    `instance` is the request's id: quote it when asking for help.
    """

    title: str
    status: int
    code: str
    type: str = "about:blank"
    detail: str = ""
    remedy: str = ""
    instance: str = ""


def of_error(error: DaohuError, request_id: str, texts: Texts) -> Problem:
    """The problem document of one of our own errors, in the language of `texts`."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    return Problem(
        type=f"urn:daohu:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        detail=said(error.what, texts),
        remedy=said(error.remedy, texts),
        instance=f"urn:daohu:request:{request_id}",
    )


def of_http(error: web.HTTPException, request_id: str, texts: Texts) -> Problem:
    """The problem document of an error that aiohttp found (no such route, wrong method, body too large)."""
    return Problem(
        title=error.reason,
        status=error.status,
        code=f"http-{error.status}",
        detail=said(DETAIL.get(error.status, ""), texts),
        instance=f"urn:daohu:request:{request_id}",
    )


def unexpected(request_id: str, texts: Texts) -> Problem:
    """The problem document of a fault of ours; what it was stands in the log under the request's id."""
    return Problem(
        type="urn:daohu:problem:internal",
        title="Internal Server Error",
        status=500,
        code="internal",
        detail=texts.gettext(INTERNAL[0]),
        remedy=texts.gettext(INTERNAL[1]),
        instance=f"urn:daohu:request:{request_id}",
    )


def answer(problem: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """The problem as a response."""
    return web.Response(
        status=problem.status, body=msgspec.json.encode(problem), content_type=MEDIA_TYPE, headers=headers
    )


INTERNAL = ("系统内部错误，已记录。", "请稍后重试；若仍然出错，请把错误编号（instance）告诉管理员。")
DETAIL = {
    404: "没有这个地址。",
    405: "这个地址不支持该方法。",
    413: "请求内容太大。",
    415: "不支持这种内容类型。",
}
