"""The shelf: finished documents for everybody, made once for many readers. Work is bounded however many ask.

A document is looked after every `FRESH` seconds at most, by one request while the others wait for it; what does not
exist is remembered as well.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from broadcaster.errors import NotFoundError
from broadcaster.recent import Recent

FRESH = timedelta(seconds=15)
_CACHE = f"public, max-age={int(FRESH.total_seconds())}"


@dataclass(frozen=True, slots=True)
class Document:
    """`stamp` says which state of things it shows: while that is the same it need not be made again."""

    stamp: Hashable
    media: str
    body: bytes
    packed: bytes
    tag: str

    @classmethod
    def of(cls, stamp: Hashable, media: str, text: str) -> Document:
        body = text.encode("utf-8")
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
        return cls(stamp, media, body, gzip.compress(body, 6, mtime=0), tag)

    def answer(self, request: web.Request) -> web.Response:
        """As the reader can take it: packed where they unpack, nothing where they have it."""
        headers = {"ETag": self.tag, "Cache-Control": _CACHE, "Vary": "Accept-Encoding"}
        asked = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
        if self.tag.removeprefix("W/") in asked:
            return web.Response(status=304, headers=headers)
        body = self.body
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(self.packed) < len(body):
            body, headers["Content-Encoding"] = self.packed, "gzip"
        return web.Response(body=body, content_type=self.media, charset="utf-8", headers=headers)


Make = Callable[[Document | None], Awaitable[Document]]
"""Makes a document, or gives the former one back where its stamp still holds; `NotFoundError` where there is none."""


@dataclass(slots=True)
class _Place:
    looked_at: datetime
    document: Document | None


class Shelf:
    """`most` documents, the last that were asked for."""

    def __init__(self, most: int = 500) -> None:
        self._places: Recent[Hashable, _Place] = Recent(most)
        self._making: dict[Hashable, asyncio.Lock] = {}
        self.made = 0
        """How often a document was looked after: what readers cost."""

    def __len__(self) -> int:
        return len(self._places)

    async def take(self, key: Hashable, now: datetime, make: Make) -> Document:
        """The document under `key`; `NotFoundError` where there is none."""
        place = self._places.get(key)
        if place is None or now - place.looked_at >= FRESH:
            lock = self._making.setdefault(key, asyncio.Lock())
            try:
                async with lock:
                    place = self._places.get(key)
                    if place is None or now - place.looked_at >= FRESH:
                        place = await self._look(key, now, make, place)
            finally:
                if not lock.locked():
                    self._making.pop(key, None)
        if place.document is None:
            raise NotFoundError("没有这条公开预警。", remedy="请从“正在生效的预警”中选择。")
        return place.document

    async def _look(self, key: Hashable, now: datetime, make: Make, former: _Place | None) -> _Place:
        self.made += 1
        try:
            document: Document | None = await make(former.document if former else None)
        except NotFoundError:
            document = None
        place = self._places[key] = _Place(now, document)
        return place
