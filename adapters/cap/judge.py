"""What a file is worth as CAP: accepted, accepted with warnings, or refused, and every reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.cap import edxl
from adapters.cap.feed import is_feed, read_feed
from adapters.cap.message import weigh
from adapters.cap.read import examine
from adapters.cap.reason import Reason, error
from broadcaster.errors import InputError
from broadcaster.phrase import phrase
from broadcaster.sources import Verdict
from broadcaster.xml import SIZE_MAX, Node, parse

SUFFIXES = frozenset({".xml", ".cap", ".atom", ".rss"})
"""What is looked at in a folder; a file named on its own is judged whatever its suffix."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One file's verdict; `reasons` are sentences, errors first."""

    path: str
    verdict: Verdict
    reasons: tuple[str, ...]


def judge(path: Path) -> Judgement:
    """Judge one file; never raises for what is in it, and refuses what cannot be read."""
    try:
        if path.stat().st_size > SIZE_MAX:
            return _refused(path, phrase("security：文件超过上限 %(most)s 字节。", most=SIZE_MAX))
        document = path.read_bytes()
        root = parse(document)
    except OSError as fault:
        return _refused(path, phrase("file：读不了这个文件（%(why)s）。", why=fault.strerror or type(fault).__name__))
    except InputError as fault:
        return _refused(path, fault.what)
    reasons = list(_feed(root)) if is_feed(root) else list(_message(root, document))
    verdict, told_reasons = weigh(reasons)
    return Judgement(str(path), verdict, told_reasons)


def judge_all(paths: Iterable[Path]) -> Iterator[Judgement]:
    """Judge files, and every alert or feed file below folders, in the order of their names."""
    for path in paths:
        if path.is_dir():
            found = (one for one in path.rglob("*") if one.is_file() and one.suffix.lower() in SUFFIXES)
            yield from map(judge, sorted(found))
        else:
            yield judge(path)


def summary(judgements: Iterable[Judgement]) -> dict[str, list[dict[str, object]]]:
    """The JSON form: {"files": [{"path", "verdict", "reasons"}]}."""
    return {
        "files": [
            {"path": one.path, "verdict": one.verdict.value, "reasons": [str(reason) for reason in one.reasons]}
            for one in judgements
        ]
    }


def _refused(path: Path, reason: str) -> Judgement:
    return Judgement(str(path), Verdict.REFUSED, (reason,))


def _message(root: Node, document: bytes) -> Iterator[Reason]:
    """A message's faults; of an envelope its own and those of the messages in it."""
    if not edxl.is_envelope(root):
        yield from examine(root).reasons
        return
    yield from edxl.check(root)
    found = edxl.messages(document)
    if not found:
        yield error("envelope", root.line, "信封里没有 CAP 消息")
    for one in found:
        try:
            yield from examine(parse(edxl.inner(one))).reasons
        except InputError as fault:
            yield error("envelope", root.line, fault.what)


def _feed(root: Node) -> Iterator[Reason]:
    """The feed's own faults and those of the messages that it carries whole."""
    feed = read_feed(root)
    yield from feed.reasons
    for entry in feed.entries:
        if entry.alert is not None:
            yield from examine(entry.alert).reasons
