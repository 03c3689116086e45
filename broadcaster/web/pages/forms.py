"""Forms that no other site can send: the browser's own word on where a form comes from, and a token in it."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from broadcaster.errors import ForbiddenError, InputError
from broadcaster.phrase import Texts, said
from broadcaster.security.credentials import form_token
from broadcaster.web.authentication import SESSION_COOKIE
from broadcaster.web.context import CONTEXT

T = TypeVar("T")


@dataclass(slots=True)
class Form:
    """What was typed and what is wrong with it, by field name, as the macros of `_fields.html` show it."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def overtaken(self, name: str, fault: str, newest: int) -> Form:
        """The same when somebody else has saved version `newest` meanwhile: what was typed can be saved over it, now
        that the page says so."""
        return Form({**self.values, "seen": str(newest)}, {**self.faults, name: fault})

    def said(self, texts: Texts) -> Form:
        """The same with its faults in the language of `texts`."""
        return Form(self.values, {name: said(fault, texts) for name, fault in self.faults.items()})


FIELD = "form_token"
VISITOR_COOKIE = "daohu_form"
_LONGEST = 64 * 1024  # characters of one field
_MOST_TEXTS = 50
_UTF8 = frozenset({"utf-8", "utf8"})
_PIECE = 256 * 1024  # bytes
_SILENCE = 60.0  # seconds without a byte, after which an upload is given up


async def upload(request: web.Request, name: str, file: BinaryIO, largest: int) -> tuple[dict[str, str], str]:
    """A form with one file: its texts, and the file's own name; the field `name` is written to `file`.

    The texts stand before the file in the form, so a forged one is refused before any of its file is read. What is over
    `largest` bytes, or silent for `_SILENCE` seconds, is refused with `InputError`; no file chosen gives the name "".
    """
    _require_own(request)
    if request.content_type != "multipart/form-data":
        raise InputError("不是网页表单。", remedy="请从页面上提交。")
    given: dict[str, str] = {}
    try:
        reader = await request.multipart()
        while (part := await _soon(reader.next())) is not None:
            if not isinstance(part, BodyPartReader):
                raise InputError("表单内容无法读取。", remedy="请刷新页面后重新提交。")
            if part.name == name:
                _require_token(request, given)
                await _save(part, file, largest)
                return given, part.filename or ""
            if len(given) < _MOST_TEXTS:
                given[part.name or ""] = (await _text(part)).replace("\0", "")
    except TimeoutError as error:
        raise InputError("上传中断。", remedy="请检查网络后重新上传。") from error
    except (ValueError, LookupError, HttpProcessingError) as error:  # no boundary, no encoding, no headers of a part
        raise InputError("表单内容无法读取。", remedy="请刷新页面后重新提交。") from error
    _require_token(request, given)
    return given, ""


async def _soon(reading: Awaitable[T]) -> T:
    async with asyncio.timeout(_SILENCE):
        return await reading


async def _text(part: BodyPartReader) -> str:
    read = b""
    while piece := await _soon(part.read_chunk()):
        read += piece
        if len(read) > _LONGEST:
            raise InputError("表单内容过长。", remedy="请刷新页面后重新提交。")
    return read.decode("utf-8")


async def _save(part: BodyPartReader, file: BinaryIO, largest: int) -> None:
    size = 0
    while piece := await _soon(part.read_chunk(_PIECE)):
        size += len(piece)
        if size > largest:
            raise InputError("文件超过 %(size)s MB。", remedy="请拆分后分别上传。", size=largest >> 20)
        file.write(piece)


async def fields(request: web.Request) -> dict[str, str]:
    """The form's texts; `ForbiddenError` unless it is one of ours, `InputError` when it is no simple form."""
    _require_own(request)
    if request.content_type != "application/x-www-form-urlencoded":
        raise InputError("不是网页表单。", remedy="请从页面上提交。")
    try:
        given = {name: text[:_LONGEST] for name, text in (await typed(request)).items()}
    except ValueError as error:
        raise InputError("表单内容无法读取。", remedy="请刷新页面后重新提交。") from error
    _require_token(request, given)
    return given


async def typed(request: web.Request) -> dict[str, str]:
    """The texts of a form as every browser sends it, without zero bytes; `ValueError` for anything else.

    Anybody may name an encoding, signed in or not, and there are some (punycode) whose reading takes minutes, in which
    this process would serve nobody else.
    """
    if (request.charset or "utf-8").lower() not in _UTF8:
        raise ValueError("not in UTF-8")
    return {name: str(value).replace("\0", "") for name, value in (await request.post()).items()}


def token(request: web.Request) -> str:
    """What a form must carry: bound to the session or, before signing in, to this browser's own cookie."""
    session = request.cookies.get(SESSION_COOKIE, "")
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    return form_token(session or visitor or secrets.token_hex())  # bound to nothing, it fits nothing


def secure(request: web.Request) -> bool:
    """Whether our pages are served over TLS, so that cookies may be kept off plain lines."""
    return request.app[CONTEXT].settings.web.public_url.startswith("https:")


def _require_token(request: web.Request, given: dict[str, str]) -> None:
    """Takes the token out of the texts; `ForbiddenError` unless it is this browser's."""
    if not hmac.compare_digest(given.pop(FIELD, "").encode(), token(request).encode()):
        raise ForbiddenError("页面已过期。", remedy="请返回，刷新页面后重新提交。")


def _require_own(request: web.Request) -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise ForbiddenError("请求来自其他网站。", remedy="请从本系统的页面上提交。")
    origin = request.headers.get("Origin")
    ours = {request.host.lower(), urlsplit(request.app[CONTEXT].settings.web.public_url).netloc.lower()}
    if origin is not None and _place(origin) not in ours - {""}:
        raise ForbiddenError("请求来自其他网站。", remedy="请从本系统的页面上提交。")


def _place(origin: str) -> str:
    """Host and port of an origin; "" for one that is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
