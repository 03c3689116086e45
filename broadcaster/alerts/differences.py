"""What has changed between two texts, word by word: a Chinese character is a word, and so is a run of Latin letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from broadcaster.alerts import areas, shapes
from broadcaster.alerts.alert import Alert

_WORDS = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
_LONGEST = 4000  # words; beyond that the comparison takes longer than a reader waits


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: `old` in the earlier text only, `new` in the later only, in both where neither."""

    text: str
    old: bool = False
    new: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A field whose text differs, in pieces."""

    field: str
    pieces: tuple[Piece, ...]


def pieces(before: str, after: str) -> tuple[Piece, ...]:
    """`after` with what went and what came; joined without the old pieces it is `after`."""
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(one), len(other)) > _LONGEST:
        return tuple(piece for piece in (Piece(before, old=True), Piece(after, new=True)) if piece.text)
    found: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("".join(other[c:d])))
            continue
        if b > a:
            found.append(Piece("".join(one[a:b]), old=True))
        if d > c:
            found.append(Piece("".join(other[c:d]), new=True))
    return tuple(found)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """The fields of either that differ, in the order of `after`."""
    names = dict.fromkeys((*after, *before))
    return [
        Change(name, pieces(before.get(name, ""), after.get(name, "")))
        for name in names
        if before.get(name, "") != after.get(name, "")
    ]


def fields_of(alert: Alert) -> dict[str, str]:
    """What of an alert a reviewer compares, by field: codes as codes, times as ISO 8601."""
    texts = {
        "hazard": alert.hazard,
        "colour": alert.colour.value if alert.colour else "",
        "status": alert.status.value,
        "scope": alert.scope.value,
        "regions": " ".join(areas.regions(alert)),
        "shapes": shapes.write(areas.polygons(alert), areas.circles(alert)),
        "expires": alert.expires.isoformat() if alert.expires else "",
    }
    for info in alert.infos:
        suffix = "_en" if info.language.casefold().startswith("en") else ""
        texts |= {
            f"headline{suffix}": info.headline,
            f"description{suffix}": info.description,
            f"instruction{suffix}": info.instruction,
        }
    return texts
