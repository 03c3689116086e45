"""The rows role × region of an account's form: shown, and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiences.region_lookup import EVERYWHERE, names, resolve
from broadcaster.database import Connection
from broadcaster.security.permissions import Action, Actor, Grant, Role, scopes
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.words import WORDS

MOST = 40
_SPARE = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is typed: a role's code or "", and a region in words."""

    role: str
    region: str


async def rows_of(connection: Connection, grants: Sequence[Grant]) -> list[Row]:
    """The rows of what is held, with room for more."""
    known = await names(connection, [grant.region for grant in grants])
    held = [Row(grant.role.value, _written(grant.region, known)) for grant in grants]
    return spaced(held)


def spaced(rows: Sequence[Row]) -> list[Row]:
    """The rows with empty ones behind them."""
    return [*rows, *([Row("", "")] * _SPARE)][:MOST]


def typed(given: Mapping[str, str]) -> list[Row]:
    """The rows that were sent; those that are wholly empty are left out."""
    sent = [Row(given.get(f"role-{number}", ""), given.get(f"region-{number}", "").strip()) for number in range(MOST)]
    return [row for row in sent if row.role or row.region]


async def read(connection: Connection, by: Actor, rows: Sequence[Row], form: Form) -> list[Grant]:
    """The grants that the rows mean; what is wrong with a row is put into `form` under `role-N` or `region-N`."""
    allowed = scopes(by, Action.MANAGE_ACCOUNTS)
    grants = []
    for number, row in enumerate(rows):
        if row.role not in set(Role):
            form.faults[f"role-{number}"] = WORDS["account_fault"]["role"]
            continue
        found = await resolve(connection, row.region, allowed)
        if len(found) == 1:
            grants.append(Grant(Role(row.role), found[0]))
        else:
            form.faults[f"region-{number}"] = WORDS["account_fault"]["ambiguous" if found else "region"]
    if not rows:
        form.faults["role-0"] = WORDS["account_fault"]["no_role"]
    return grants


def _written(region: str, known: Mapping[str, str]) -> str:
    return f"{region} {known.get(region, '')}".strip() if region else EVERYWHERE[1]
