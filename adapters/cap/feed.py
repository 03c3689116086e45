"""Indexes of alerts: Atom (RFC 4287) and RSS 2.0 feeds that list CAP messages or carry them whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.cap.grammar import Version
from adapters.cap.reason import Reason, error
from broadcaster.errors import InputError
from broadcaster.phrase import phrase
from broadcaster.xml import Node

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
CAP_TYPE = "application/cap+xml"
_TYPES = (CAP_TYPE, "application/xml", "text/xml", "")
"""Types of the link to a message, the likeliest first; "" where none is said."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed: where the message is, or the message itself in `alert`. `updated` as it is written."""

    id: str
    title: str
    link: str
    alert: Node | None
    updated: str = ""


@dataclass(slots=True)
class Feed:
    """A feed's title, its entries, and what is wrong with it."""

    title: str
    entries: list[Entry] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def is_feed(root: Node) -> bool:
    """Whether the document is an Atom or RSS feed."""
    return (root.name == "feed" and root.namespace == ATOM_NAMESPACE) or (root.name == "rss" and not root.namespace)


def read_feed(root: Node) -> Feed:
    """The feed in a parsed document; raises `InputError` when it is none."""
    if not is_feed(root):
        raise InputError("feed：根元素 <%(name)s> 不是 Atom 或 RSS。", name=root.name[:40])
    return _atom(root) if root.name == "feed" else _rss(root)


def _atom(root: Node) -> Feed:
    feed = Feed(root.value("title"))
    feed.reasons.extend(_missing(root, "id", "title", "updated"))
    for node in root.every("entry"):
        link = _link(node)
        alert = _embedded(node.first("content"))
        feed.entries.append(Entry(node.value("id"), node.value("title"), link, alert, node.value("updated")))
        feed.reasons.extend(_missing(node, "id", "title", "updated"))
        if not link and alert is None:
            feed.reasons.append(error("feed", node.line, "<entry> 既没有 <link>，也没有内嵌的预警消息"))
    return feed


def _rss(root: Node) -> Feed:
    channel = root.first("channel")
    if channel is None:
        return Feed("", [], [error("feed", root.line, "<rss> 缺少 <channel>")])
    feed = Feed(channel.value("title"))
    feed.reasons.extend(_missing(channel, "title", "link", "description"))
    for node in channel.every("item"):
        link, date = _enclosed(node) or node.value("link"), node.value("pubDate")
        feed.entries.append(Entry(node.value("guid"), node.value("title"), link, None, date))
        feed.reasons.extend(_missing(node, "title", "link"))
    return feed


def _link(entry: Node) -> str:
    """Where an entry's message is: the link whose type is CAP's own, else the likeliest of the others."""
    links = [(_media(one), one.attributes["href"]) for one in entry.every("link") if one.attributes.get("href")]
    return min(links, key=lambda link: _TYPES.index(link[0]) if link[0] in _TYPES else len(_TYPES), default=("", ""))[1]


def _enclosed(item: Node) -> str:
    """The same for RSS, which has an <enclosure> for it, used by some."""
    return next((one.attributes.get("url", "") for one in item.every("enclosure") if _media(one) == CAP_TYPE), "")


def _media(link: Node) -> str:
    return link.attributes.get("type", "").partition(";")[0].strip().lower()


def _missing(node: Node, *names: str) -> Iterator[Reason]:
    """Elements that RFC 4287 (4.1.1, 4.1.2) or RSS 2.0 ask for; an item needs a link for us to fetch its message."""
    return (
        error("feed", node.line, phrase("<%(parent)s> 缺少 <%(name)s>", parent=node.name, name=name))
        for name in names
        if not node.value(name)
    )


def _embedded(content: Node | None) -> Node | None:
    if content is None:
        return None
    return next(
        (child for child in content.children if child.name == "alert" and child.namespace in list(Version)), None
    )
