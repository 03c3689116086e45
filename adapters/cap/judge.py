"""What a file is worth as CAP: accepted, accepted with warnings, or refused, and every reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from adapters.cap.feed import is_feed, read_feed
from adapters.cap.read import examine
from adapters.cap.reason import Reason, Weight, told
from adapters.cap.xml import SIZE_MAX, Node, parse
from broadcaster.errors import InputError

SUFFIXES = frozenset({".xml", ".cap", ".atom", ".rss"})
"""What is looked at in a folder; a file named on its own is judged whatever its suffix."""


class Verdict(StrEnum):
    """The three outcomes."""

    ACCEPTED = "accepted"
    WITH_WARNINGS = "accepted-with-warnings"
    REFUSED = "refused"


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
            return _refused(path, f"security：文件超过上限 {SIZE_MAX} 字节。")
        root = parse(path.read_bytes())
    except OSError as fault:
        return _refused(path, f"file：读不了这个文件（{fault.strerror or type(fault).__name__}）。")
    except InputError as fault:
        return _refused(path, fault.what)
    reasons = list(_feed(root)) if is_feed(root) else examine(root).reasons
    errors, warnings = told(reasons, Weight.ERROR), told(reasons, Weight.WARNING)
    verdict = Verdict.REFUSED if errors else Verdict.WITH_WARNINGS if warnings else Verdict.ACCEPTED
    return Judgement(str(path), verdict, (*errors, *warnings))


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
        "files": [{"path": one.path, "verdict": one.verdict.value, "reasons": list(one.reasons)} for one in judgements]
    }


def _refused(path: Path, reason: str) -> Judgement:
    return Judgement(str(path), Verdict.REFUSED, (reason,))


def _feed(root: Node) -> Iterator[Reason]:
    """The feed's own faults and those of the messages that it carries whole."""
    feed = read_feed(root)
    yield from feed.reasons
    for entry in feed.entries:
        if entry.alert is not None:
            yield from examine(entry.alert).reasons
