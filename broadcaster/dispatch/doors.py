"""Door tasks: a household that nobody reached, on somebody's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch.ledger import lock_states
from broadcaster.errors import RuleError

_OPEN = """
INSERT INTO door_task (alert_id, household_id, region, assignee_person_id, reason, created_at)
SELECT t.alert_id, t.household_id, t.region, coalesce($3, duty.person_id), 'escalated', $4
FROM unnest($2::text[]) AS r(code)
JOIN chunk k ON k.alert_id = $1 AND k.region <> '' AND starts_with(k.region, left(r.code, 12))
JOIN target t ON t.alert_id = $1 AND t.village = k.region AND starts_with(t.region, r.code)
LEFT JOIN LATERAL (
    SELECT u.person_id FROM duty u
    WHERE u.region_code = t.region AND u.role IN ('grid_member', 'grid_leader')
      AND u.valid_from <= $4 AND (u.valid_to IS NULL OR u.valid_to > $4)
    ORDER BY u.role DESC, u.rank DESC, u.id LIMIT 1
) duty ON true
WHERE t.state <> 1
ON CONFLICT (alert_id, household_id) DO NOTHING
RETURNING 1
"""


async def open_for_region(
    connection: Connection, alert_id: int, region_code: str, assignee_person_id: int | None, now: datetime
) -> int:
    """Every household under `region_code` that is not reached yet becomes a door task; returns how many are new.

    `assignee_person_id` None leaves the choice to the grid: its member or leader on duty.
    """
    return await open_for_regions(connection, alert_id, [region_code], assignee_person_id, now)


async def open_for_regions(
    connection: Connection,
    alert_id: int,
    region_codes: Sequence[str],
    assignee_person_id: int | None,
    now: datetime,
) -> int:
    """The same for several regions, village by village; codes may lie inside each other.

    Holds the lock on states, so that nobody is reached while their task is written.
    """
    await lock_states(connection)
    return len(await connection.fetch(_OPEN, alert_id, list(region_codes), assignee_person_id, now))


_LIST = """
SELECT * FROM (SELECT k.region, coalesce(r.name, '') AS name, coalesce(v.name, '') AS village,
       (count(*) FILTER (WHERE k.state = 'open'))::int AS open, (count(*) FILTER (WHERE k.state = 'done'))::int AS done,
       (count(*) FILTER (WHERE k.state = 'cancelled'))::int AS cancelled,
       (count(*) FILTER (WHERE k.state = 'open' AND k.assignee_person_id IS NULL))::int AS unassigned,
       coalesce(array_agg(DISTINCT p.name) FILTER (WHERE k.state = 'open' AND p.name IS NOT NULL), '{}') AS assignees
FROM door_task k
LEFT JOIN region r ON r.code = k.region
LEFT JOIN region v ON v.code = left(k.region, 12) AND length(k.region) > 12
LEFT JOIN person p ON p.id = k.assignee_person_id
WHERE k.alert_id = $1 AND starts_with(k.region, $2)
  AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS s(code) WHERE starts_with(k.region, s.code))
GROUP BY k.region, r.name, v.name) grid
WHERE (open = 0, region) > ($4, $5) ORDER BY open = 0, region LIMIT $6
"""

_CANDIDATES = """
SELECT DISTINCT ON (p.id) p.id, p.name, d.role, d.region_code AS region
FROM duty d JOIN person p ON p.id = d.person_id
WHERE (d.region_code = ANY($3::text[]) OR (d.region_code ~>=~ $1 AND d.region_code ~<~ ($1 || ':')))
  AND d.role <> 'duty_desk' AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2)
ORDER BY p.id, length(d.region_code) DESC, d.role
"""

_ASSIGN = """
UPDATE door_task SET assignee_person_id = $3
WHERE alert_id = $1 AND starts_with(region, $2) AND state = 'open' AND assignee_person_id IS DISTINCT FROM $3
RETURNING 1
"""


@dataclass(frozen=True, slots=True)
class GridDoors:
    """The door tasks of one grid (or of a village whose households have no grid). `cancelled`: the alert is over, or
    another has taken its place."""

    region: str
    name: str
    village: str
    open: int
    done: int
    cancelled: int
    unassigned: int
    assignees: tuple[str, ...]

    @property
    def key(self) -> tuple[bool, str]:
        """Its place in the list: what is all done stands behind what is not."""
        return not self.open, self.region


FIRST = (False, "")
"""Before all grids."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody on duty who may be given the doors of a region."""

    id: int
    name: str
    role: str
    region: str


async def by_grid(
    connection: Connection,
    alert_id: int,
    region: str,
    scopes: Sequence[str],
    *,
    after: tuple[bool, str] = FIRST,
    limit: int = 200,
) -> list[GridDoors]:
    """The grids under `region` (a code prefix) and inside `scopes` that have door tasks, behind the key `after`: those
    with doors to knock on first, each in the order of its code."""
    rows = await connection.fetch(_LIST, alert_id, region, list(scopes), *after, limit)
    return [GridDoors(**{**dict(row), "assignees": tuple(row["assignees"])}) for row in rows]


async def candidates(connection: Connection, region: str, now: datetime) -> list[Candidate]:
    """Who holds a duty now in `region`, above or below it: in its village as a whole, if it is a grid."""
    village = region[:12]
    above = [region[:length] for length in (6, 9, 12, 15) if length <= len(region)]
    rows = await connection.fetch(_CANDIDATES, village, now, above)
    return sorted((Candidate(**dict(row)) for row in rows), key=lambda one: (-len(one.region), one.region, one.name))


async def assign(connection: Connection, alert_id: int, region: str, person_id: int, now: datetime) -> int:
    """Give every open door task under `region` to one person; returns how many changed hands, 0 the second time.

    `RuleError` when the person holds no duty there now.
    """
    if all(one.id != person_id for one in await candidates(connection, region, now)):
        raise RuleError("这个人现在不在该地区任职，不能承担那里的入户任务。", remedy="请从列表中重新选择。")
    return len(await connection.fetch(_ASSIGN, alert_id, region, person_id))
