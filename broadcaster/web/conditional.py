"""Answers that a caller may have already: with validators, and 304 where they hold (RFC 9110, 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web
from multidict import CIMultiDict


def conditional(
    request: web.Request,
    body: bytes,
    content_type: str,
    changed: datetime | None,
    headers: Mapping[str, str],
    *,
    mark: str = "",
) -> web.Response:
    """`body`, or 304 when the caller has it. `changed`: when it was changed last, None where that is not known; `mark`
    names what it says where its octets do not."""
    tag = hashlib.sha256(mark.encode() or body).hexdigest()[:32]
    response = web.Response(body=body, content_type=content_type, headers=CIMultiDict(headers))
    response.etag = tag
    if changed is not None:
        response.last_modified = changed
    if not _unchanged(request, tag, changed):
        return response
    unchanged = web.Response(status=304, headers=CIMultiDict(headers))
    unchanged.etag = tag
    return unchanged


def _unchanged(request: web.Request, tag: str, changed: datetime | None) -> bool:
    """If-None-Match goes before If-Modified-Since, whose seconds are whole."""
    if (tags := request.if_none_match) is not None:
        return any(one.value in (tag, "*") for one in tags)
    since = request.if_modified_since
    return since is not None and changed is not None and changed.replace(microsecond=0) <= since
