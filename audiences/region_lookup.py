"""Regions as people look for them: by code, by name, or by a part of either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EVERYWHERE = ("", "全部地区")
_CODE = re.compile(r"(\d{6,15})(?:\s.*)?", re.DOTALL)

_NAMES = "SELECT code, name FROM region WHERE code = ANY ($1::text[])"
_INSIDE = "EXISTS (SELECT FROM unnest($2::text[]) AS scope WHERE starts_with(r.code, scope))"
_SEARCH = f"""SELECT r.code, r.name, coalesce(p.name, '') AS parent
FROM region r LEFT JOIN region p ON p.code = r.parent_code
WHERE (starts_with(r.code, $1) OR strpos(r.name, $1) > 0) AND {_INSIDE}
ORDER BY r.level, r.code LIMIT $3"""
_EXACT = f"SELECT r.code FROM region r WHERE (r.code = $1 OR r.name = $1) AND {_INSIDE} ORDER BY r.code LIMIT 2"


@dataclass(frozen=True, slots=True)
class Found:
    """A region that fits; `parent` is the name of the one around it."""

    code: str
    name: str
    parent: str

    @property
    def written(self) -> str:
        """As it is offered and typed: the code first, which is what counts."""
        return f"{self.code} {self.parent}{self.name}"


async def names(connection: Any, codes: Sequence[str]) -> dict[str, str]:
    """The names of these regions, by code; unknown ones are left out."""
    return {row["code"]: row["name"] for row in await connection.fetch(_NAMES, list(codes))}


async def search(connection: Any, text: str, scopes: Sequence[str], *, limit: int = 20) -> list[Found]:
    """Regions inside of `scopes` (code prefixes) whose code starts with `text` or whose name has it, larger ones
    first."""
    rows = await connection.fetch(_SEARCH, text.strip(), list(scopes), limit)
    return [Found(row["code"], row["name"], row["parent"]) for row in rows]


async def resolve(connection: Any, text: str, scopes: Sequence[str]) -> list[str]:
    """The codes that `text` may mean: a code, alone or before a name, or a whole name. One is an answer, none or two
    are a question."""
    typed = text.strip()
    if typed in EVERYWHERE:
        return [""] if "" in scopes and typed else []
    code = _CODE.fullmatch(typed)
    rows = await connection.fetch(_EXACT, code[1] if code else typed, list(scopes))
    return [row["code"] for row in rows]
