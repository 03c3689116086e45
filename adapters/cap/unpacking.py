"""Taking apart what a CAP source offers: a message, an envelope, or an index that lists or carries messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from adapters.cap import edxl
from adapters.cap.feed import Entry, is_feed, read_feed
from adapters.cap.grammar import Version
from adapters.cap.reason import Weight, told
from adapters.cap.tree import cut_out, grown
from adapters.fetching.dialect import Piece, Unpacked, mark_of
from broadcaster.errors import InputError
from broadcaster.xml import Node, parse

ENTRIES_MAX = 2_000
"""Entries of an index that are looked at, the first: indexes list the newest first."""

_ALERTS = tuple(f"{{{version}}}alert" for version in Version)


def unpack(document: bytes, is_message: Callable[[Node], bool]) -> Unpacked:
    """The pieces of `document`; `is_message` says whether a root is one message of the source's own kind.

    `InputError` when it is nothing of all that.
    """
    root = parse(document)
    if is_message(root):
        return Unpacked((Piece(document, mark=_content(document)),))
    if edxl.is_envelope(root):
        found = edxl.messages(document)
        remarks = () if found else ("信封里没有 CAP 消息",)
        return Unpacked(tuple(Piece(one, mark=_content(one)) for one in found), remarks)
    if is_feed(root):
        return _feed(root, document)
    raise InputError("schema：根元素 <%(name)s> 不是预警消息、EDXL 信封，也不是 Atom、RSS 索引。", name=root.name[:40])


def _feed(root: Node, document: bytes) -> Unpacked:
    feed = read_feed(root)
    remarks = told(feed.reasons, Weight.ERROR)[:3]
    carried = iter(_carried(document) if any(entry.alert is not None for entry in feed.entries) else ())
    if len(feed.entries) > ENTRIES_MAX:
        remarks.append(f"索引有 {len(feed.entries)} 项，只看前 {ENTRIES_MAX} 项")
    pieces = (_piece(entry, carried) for entry in feed.entries[:ENTRIES_MAX])
    return Unpacked(tuple(piece for piece in pieces if piece.document or piece.link), tuple(remarks))


def _piece(entry: Entry, carried: Iterator[bytes]) -> Piece:
    if entry.alert is not None:
        message = next(carried, b"")
        return Piece(message, mark=_content(message))
    return Piece(link=entry.link, mark=mark_of(entry.id, entry.updated, entry.title, entry.link))


def _carried(document: bytes) -> Iterator[bytes]:
    """The messages that stand in an index, in its order: of each entry the first."""
    for content in grown(document).iterfind("{*}entry/{*}content"):
        alert = next((child for child in content if child.tag in _ALERTS), None)
        if alert is not None:
            yield cut_out(alert)


def _content(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()
