"""What changed from one text to another, line by line: templates and rules, from version to version."""

from __future__ import annotations

import difflib

from broadcaster.alerts import differences
from broadcaster.alerts.differences import Piece

Line = tuple[str, tuple[Piece, ...]]


def difference(before: str, after: str) -> list[Line]:
    """The lines of both with a mark before each: "-" gone, "+" new, " " the same, "@" where a stretch of those is left
    out. Lines that took the place of as many others are in pieces, so that the words that differ are seen."""
    one, other = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for place, group in enumerate(difflib.SequenceMatcher(None, one, other, autojunk=False).get_grouped_opcodes(3)):
        if place or group[0][1]:
            found.append(("@", ()))
        for tag, a, b, c, d in group:
            if tag == "equal":
                found += [(" ", (Piece(line),)) for line in other[c:d]]
            elif b - a == d - c:
                pairs = [differences.pieces(was, now) for was, now in zip(one[a:b], other[c:d], strict=True)]
                found += [("-", tuple(piece for piece in pair if not piece.new)) for pair in pairs]
                found += [("+", tuple(piece for piece in pair if not piece.old)) for pair in pairs]
            else:
                found += [("-", (Piece(line),)) for line in one[a:b]]
                found += [("+", (Piece(line),)) for line in other[c:d]]
    return found
