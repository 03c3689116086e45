"""What one kind of source does differently from another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from broadcaster.sources import Judged


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: where, and with which headers. Headers go to that server only, never where it redirects to."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """What a document offers: a message in itself (`document`), or where one is (`link`). `mark` names it at this
    source, whatever it says; "" where only its content does."""

    document: bytes = b""
    link: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The pieces of a document in its own order, the newest first where it is a list; what is odd about it."""

    pieces: tuple[Piece, ...]
    remarks: tuple[str, ...] = ()


class Dialect(Protocol):
    """One kind of source. Nothing here touches the network."""

    def ask(self, now: datetime) -> Ask:
        """Where to look for what there is."""
        ...

    def unpack(self, document: bytes) -> Unpacked:
        """Take apart what a server answered or a file holds. `InputError` when it is nothing of this kind."""
        ...

    def judge(self, document: bytes, now: datetime) -> Judged:
        """What one message is worth; never raises for what is in it."""
        ...


def mark_of(*words: str) -> str:
    """A mark made of what an index says of an entry: the same for the same words, and of one length."""
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()
