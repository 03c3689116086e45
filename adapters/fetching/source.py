"""A source of documents: an index that is polled, or a folder; what they hold is the dialect's to understand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from adapters.fetching.dialect import Ask, Dialect, Piece, Unpacked
from adapters.fetching.fetcher import Fetcher, Got, Unchanged
from adapters.fetching.folder import look_through
from adapters.fetching.options import FetchOptions, named
from broadcaster.errors import InputError
from broadcaster.sources import (
    Failed,
    Heard,
    Item,
    Judged,
    Memory,
    Shelf,
    SourceSettings,
    Trouble,
    Visit,
)
from broadcaster.trust import tls_context

ENOUGH = 3
"""Messages in a row that the server could not give: it is not asked for the others now."""

LINKS_MAX = 200
"""Messages that are fetched in one visit, the newest first; the rest waits for the next."""

_PASSING = frozenset({Trouble.UNREACHABLE, Trouble.SLOW, Trouble.BUSY, Trouble.BROKEN, Trouble.INSECURE})
"""Troubles of the server, as opposed to those of one message."""

_LISTED = "列出的消息取不到："
_NO_TROUBLE: tuple[Failed, ...] = ()


def utc_now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


class DocumentSource:
    """One source. `now` dates requests that are signed; tests give their own."""

    def __init__(
        self,
        settings: SourceSettings,
        options: FetchOptions,
        dialect: Dialect,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._dialect = dialect
        self._now = now
        trust = tls_context(named(settings), "ca_file", options.ca_file)
        self._failed_before: frozenset[str] = frozenset()
        self._fetcher = Fetcher(trust, seconds=options.timeout, private=settings.private)

    def judge(self, document: bytes, now: datetime) -> Judged:
        """What one message is worth."""
        return self._dialect.judge(document, now)

    def messages(self, document: bytes) -> list[bytes]:
        """The messages in a document that was handed to us; `InputError` when it is nothing of this kind, or an index
        that only says where messages are."""
        found = [piece.document for piece in self._dialect.unpack(document).pieces if piece.document]
        if not found:
            raise InputError("文件里没有消息本身。", remedy="请提交消息，而不是列出消息的索引。")
        return found

    async def close(self) -> None:
        """Disconnect."""
        await self._fetcher.close()

    async def visit(self, shelf: Shelf, memory: Memory) -> Visit:
        """Look once whether there is anything new, and keep it."""
        address = self._settings.address
        if not address:
            return Heard({})
        if urlsplit(address).scheme not in ("http", "https"):
            return await look_through(Path(address), self._dialect, shelf, time.time())
        ask = self._dialect.ask(self._now())
        same = memory if memory.get("address") == address else {}
        got = await self._fetcher.get(ask, same, self._now())
        if isinstance(got, Failed):
            return got
        if isinstance(got, Unchanged):
            return Heard(same)
        try:
            unpacked = await asyncio.to_thread(self._dialect.unpack, got.document)
        except InputError as problem:
            return Failed(Trouble.NONSENSE, str(problem.what))
        return await self._gather(got, unpacked, shelf, {**got.validators, "address": address})

    async def _gather(self, got: Got, unpacked: Unpacked, shelf: Shelf, memory: Memory) -> Visit:
        """Keep what is there, then fetch what is only named; what is kept is not fetched again."""
        pieces, remarks = unpacked.pieces, [*unpacked.remarks, *filter(None, (got.remark,))]
        known = await shelf.known([piece.mark for piece in pieces if piece.mark])
        fresh = [piece for piece in pieces if piece.mark not in known or not piece.mark]
        complete = len(fresh) <= LINKS_MAX
        if not complete:
            remarks.append(f"新消息有 {len(fresh)} 条，先取最新的 {LINKS_MAX} 条")
        new, failing, in_a_row = 0, [], _NO_TROUBLE
        for piece in _in_turn(fresh[:LINKS_MAX], self._failed_before):
            items = await self._items(piece, got.url)
            if isinstance(items, Failed):
                failing.append(piece.mark)
                remarks.append(f"{_LISTED}{items.reason}")
                in_a_row = (*in_a_row, items) if items.trouble in _PASSING else _NO_TROUBLE
            else:
                new += await shelf.keep(items)
                in_a_row = _NO_TROUBLE
            if len(in_a_row) == ENOUGH:
                break
        self._failed_before = frozenset(failing)
        if failing or not complete:  # to be asked for again next time, although the index has not changed
            memory = {"address": memory["address"]}
        if len(in_a_row) == ENOUGH and not new:
            last = in_a_row[-1]
            return Failed(last.trouble, f"{_LISTED}{last.reason}", last.after, memory)
        return Heard(memory, offered=len(pieces), new=new, remarks=tuple(dict.fromkeys(remarks))[:20])

    async def _items(self, piece: Piece, base: str) -> Sequence[Item] | Failed:
        if piece.document:
            return [Item(piece.document, piece.mark)]
        url = urljoin(base, piece.link)
        if urlsplit(url).scheme not in ("http", "https"):
            return Failed(Trouble.NONSENSE, "链接不是网址")
        got = await self._fetcher.get(Ask(url), {}, self._now())
        if isinstance(got, Failed):
            return got
        documents: list[bytes] = []
        if isinstance(got, Got):
            try:
                unpacked = await asyncio.to_thread(self._dialect.unpack, got.document)
            except InputError as problem:
                return Failed(Trouble.NONSENSE, str(problem.what))
            documents = [one.document for one in unpacked.pieces if one.document]
        if not documents:
            return Failed(Trouble.NONSENSE, "链接指向的不是一条消息")
        # where it was got, as the index says: the configured address may hold a key, and stays out of what is shown
        return [Item(document, piece.mark, piece.link) for document in documents]


def _in_turn(fresh: Sequence[Piece], failed_before: frozenset[str]) -> list[Piece]:
    """The oldest first, because an Update comes after what it updates; what could not be fetched last time comes last:
    a dead link never stands before a new warning."""
    oldest = fresh[::-1]
    return sorted(oldest, key=lambda piece: piece.mark in failed_before)
