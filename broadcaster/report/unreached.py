"""Households without any evidence that they know: the list for knocking on doors, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.database import Connection
from broadcaster.dispatch.delivery import TargetState
from broadcaster.report.sql import SQL

START = ("", 0)
"""Before the first household: a key is (village, household)."""


class Why(StrEnum):
    """Why a household is on the list of doors; OTHER: it is on none."""

    NO_CONTACT = "no_contact"
    ALL_FAILED = "all_failed"
    NO_EVIDENCE = "no_evidence"
    ESCALATED = "escalated"
    OTHER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which households of which alert: under the prefix `region`, inside `scopes`, for the reason `why` (None: any).
    `pending` adds those that are still being tried."""

    alert_id: int
    scopes: Sequence[str]
    region: str = ""
    pending: bool = False
    why: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedHousehold:
    """A household without any evidence that it knows. `door_task` is "" or open | done | cancelled."""

    household_id: int
    village: str
    village_name: str
    region: str
    region_name: str
    name: str
    address: str
    phones: tuple[str, ...]
    tags: tuple[str, ...]
    risk: int
    state: str
    door_task: str
    reason: str
    assignee: str

    @property
    def key(self) -> tuple[str, int]:
        """Where the next page begins."""
        return self.village, self.household_id


async def unreached(
    connection: Connection, asked: Asked, after: tuple[str, int], limit: int
) -> list[UnreachedHousehold]:
    """One page of them, village by village, behind the key `after`."""
    states = [TargetState.UNREACHED, *([TargetState.PENDING] if asked.pending else [])]
    rows = await connection.fetch(
        SQL["unreached"],
        asked.alert_id,
        *after,
        [int(state) for state in states],
        asked.region,
        list(asked.scopes),
        limit,
        None if asked.why is None else asked.why.value,
    )
    return [
        UnreachedHousehold(
            **{
                **dict(row),
                "state": TargetState(row["state"]).name.lower(),
                "name": row["name"] or "",
                "address": row["address"] or "",
                "phones": tuple(row["phones"]),
                "tags": tuple(row["tags"] or ()),
            }
        )
        for row in rows
    ]
