"""A shelf that keeps what a source gets in a list; the one in the database is tried elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from broadcaster.sources import Item


@dataclass
class ListShelf:
    """Each document once; `marks` of what is kept."""

    items: list[Item] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)

    async def known(self, marks: Sequence[str]) -> frozenset[str]:
        return frozenset(self.marks.intersection(marks))

    async def keep(self, items: Sequence[Item]) -> int:
        have = {hashlib.sha256(item.document).digest() for item in self.items}
        new = [item for item in items if hashlib.sha256(item.document).digest() not in have]
        self.items += new
        self.marks |= {item.mark for item in items if item.mark}
        return len(new)
