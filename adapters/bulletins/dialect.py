"""The dialect that all such services share: a JSON document with a list of entries, each kept as it came."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from adapters.bulletins.bulletin import Bulletin, judged
from adapters.fetching import Ask, Piece, Unpacked
from adapters.fetching.dialect import mark_of
from adapters.fetching.options import FetchOptions, named
from broadcaster.errors import InputError, SettingsError
from broadcaster.phrase import ours
from broadcaster.sources import Judged, SignaturePolicy, SourceSettings, Verdict

Shape = TypeVar("Shape")

ENTRIES_MAX = 2_000


class BulletinOptions(FetchOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`region`: the code of GB/T 2260 that the address was asked about, for entries that name none."""

    region: Annotated[str, msgspec.Meta(pattern=r"^(\d{6}(\d{3}){0,3})?$", description="6、9、12 或 15 位区划代码")] = (
        ""
    )


class BulletinDialect(ABC):
    """One service. `entries` and `bulletin` may raise what msgspec raises, ValueError and OverflowError for what is not
    as the service's documents promise."""

    def __init__(self, settings: SourceSettings) -> None:
        if settings.signature is not SignaturePolicy.IGNORE:
            raise SettingsError(f"{named(settings)}：这种来源的消息没有签名。", remedy='请写 signature = "ignore"。')
        self._settings = settings

    @abstractmethod
    def entries(self, document: bytes) -> Sequence[bytes]:
        """The entries of an answer, each as it stands there."""

    @abstractmethod
    def bulletin(self, entry: bytes) -> Bulletin:
        """One entry, read."""

    def ask(self, now: datetime) -> Ask:  # noqa: ARG002 - a service that signs its requests says so itself
        """What is at the configured address."""
        return Ask(self._settings.address)

    def unpack(self, document: bytes) -> Unpacked:
        """The entries of an answer; one entry alone, as it is handed in, is itself."""
        entries = _attempt(lambda: list(self.entries(document)), "不是所约定的 JSON")
        remarks = (f"列出 {len(entries)} 条，只看前 {ENTRIES_MAX} 条",) if len(entries) > ENTRIES_MAX else ()
        kept = [entry for entry in entries[:ENTRIES_MAX] if entry.strip()]
        return Unpacked(tuple(Piece(entry, mark=mark_of(entry.decode("utf-8", "replace"))) for entry in kept), remarks)

    def judge(self, document: bytes, now: datetime) -> Judged:  # noqa: ARG002 - nothing here depends on the time
        """What one entry is worth."""
        try:
            return judged(_attempt(lambda: self.bulletin(document), "条目不完整或写法不对"))
        except InputError as fault:
            return Judged(Verdict.REFUSED, (fault.what,), None)


def _attempt(read: Callable[[], Shape], what: str) -> Shape:
    try:
        return read()
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as problem:
        raise InputError(
            "%(fault)s：%(problem)s。",
            remedy="请核对来源的种类和地址。",
            fault=ours(what),
            problem=str(problem)[:200],
        ) from problem
