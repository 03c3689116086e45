"""The line-up: which of a channel's gateways takes its traffic now, as all workers together see it.

Every courier's word about its gateway stands in `gateway_word` for a few seconds; each worker reads all of them twice a
second and keeps what follows in memory, so that a claim asks nothing more than before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from broadcaster.database import Connection, Database
from broadcaster.dispatch.networks import every, served
from broadcaster.dispatch.pausing import paused_gateways
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import Medium

BEAT = 0.5
"""Seconds between two looks at what others say; one's own news is told at once."""

WORD = 3.0
"""Seconds for which a courier's word holds: a dead worker's is forgotten after them."""

MEMORY = 60.0
"""Seconds after which what a gateway was given counts about a third: shares are of late, not of all time."""

COURTESY = 0.1
"""Seconds that a gateway which is ahead of its share leaves to an idle equal before it takes what is still there."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the courier of one slot says: is its gateway `up`, in which `state` is the breaker and why, is the courier
    `idle`, how many messages it has `given` since it began, and does its connection stand."""

    gateway_id: int
    slot: int
    up: bool
    state: str
    why: str
    idle: bool
    given: int
    connected: bool


@dataclass(frozen=True, slots=True)
class Repute:
    """What all that was said of a gateway comes to: `taken` messages of late."""

    up: bool = False
    idle: bool = False
    taken: float = 0.0


@dataclass(frozen=True, slots=True)
class Leads:
    """It takes traffic, of `networks` (None: of all): `alone` if no other that could take it is up; `yields` if an idle
    equal is behind its share, which goes first; `relieved` if an equal stands idle that could take over what takes
    long."""

    alone: bool = True
    yields: bool = False
    relieved: bool = False
    networks: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class StandsBy:
    """It takes nothing as long as the gateway named is up."""

    behind: str


@dataclass(frozen=True, slots=True)
class Paused:
    """It takes nothing until somebody resumes it; its connection stands meanwhile."""


Standing = Leads | StandsBy | Paused


@dataclass(frozen=True, slots=True)
class Health:
    """A gateway as its slots see it: `states` counts them by their breaker's state, `why` is the latest trouble."""

    name: str
    up: bool
    states: Mapping[str, int]
    why: str
    since: datetime


class Lineup:
    """One worker's view. Until it has looked for the first time nobody leads."""

    def __init__(self, database: Database, worker: str, gateways: Sequence[Gateway] = ()) -> None:
        self._database = database
        self._worker = worker
        self._gateways = gateways
        self._told: dict[tuple[int, int], int] = {}
        self._standings: dict[int, Standing] = {}
        self._news = asyncio.Event()

    def follow(self, gateways: Sequence[Gateway]) -> None:
        """These are the gateways there are."""
        self._gateways = gateways

    def standing(self, gateway: Gateway) -> Standing:
        """Whether `gateway` takes traffic."""
        return self._standings.get(gateway.id, _UNSEEN)

    def news(self) -> None:
        """Something has changed that the others should know."""
        self._news.set()

    async def pause(self) -> None:
        """Return when there is news, or when it is time to look again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                await self._news.wait()
        self._news.clear()

    async def beat(self, words: Sequence[Word]) -> bool:
        """Say `words` and hear what everybody says; whether that changed who takes traffic."""
        async with self._database.connection() as connection:
            if words:
                await _say(connection, self._worker, words, [self._more(word) for word in words])
            self._told = {(word.gateway_id, word.slot): word.given for word in words}
            reputes = await hear(connection)
            paused = await paused_gateways(connection)
        before, self._standings = self._standings, standings(self._gateways, reputes, paused)
        return before != self._standings

    def _more(self, word: Word) -> int:
        """What was given since it was told last; a courier's successor begins anew."""
        told = self._told.get((word.gateway_id, word.slot), 0)
        return word.given - told if word.given >= told else word.given


class Alone:
    """The line-up of a gateway that has no other beside it."""

    def standing(self, _gateway: Gateway) -> Standing:
        return _ALONE

    def news(self) -> None:
        pass


class Precedence(Protocol):
    """What a courier asks of a line-up."""

    def standing(self, gateway: Gateway, /) -> Standing: ...

    def news(self) -> None: ...


_UNSEEN = StandsBy(behind="")
_ALONE = Leads()


@dataclass(frozen=True, slots=True)
class _Place:
    """A gateway with what is said of it, and the networks that it may serve."""

    gateway: Gateway
    repute: Repute
    networks: frozenset[str]

    @property
    def rank(self) -> tuple[int, bool]:
        """The lowest goes first: of one priority, whoever is for certain networks before whoever is for all."""
        return self.gateway.settings.priority, not self.gateway.settings.networks

    @property
    def share(self) -> float:
        """What it took of late, by its weight."""
        return self.repute.taken / self.gateway.settings.weight

    def rivals(self, other: _Place) -> bool:
        """Whether both could take the same batches."""
        return self is not other and _row(self.gateway) == _row(other.gateway) and bool(self.networks & other.networks)


def standings(
    gateways: Iterable[Gateway], reputes: Mapping[int, Repute], paused: Collection[int] = ()
) -> dict[int, Standing]:
    """Who takes traffic: of a channel, on its side of the wall between drills and the real thing, those that are up
    with the lowest `priority`, and not `paused` (gateways' ids); for each network by itself, where some are for one
    carrier only. Who is down leads where it would lead if it were up, so that it can be tried."""
    gateways = list(gateways)
    places = [
        _Place(
            gateway,
            reputes.get(gateway.id, Repute()),
            served(gateway, [other for other in gateways if _row(other) == _row(gateway)]),
        )
        for gateway in gateways
    ]
    able = [place for place in places if place.gateway.id not in paused and place.repute.up]
    return {
        place.gateway.id: Paused()
        if place.gateway.id in paused
        else _standing(place, [other for other in able if other.rivals(place)])
        for place in places
    }


def _standing(place: _Place, up: Sequence[_Place]) -> Standing:
    better = sorted((rival for rival in up if rival.rank < place.rank), key=lambda rival: rival.rank)
    everything = every(place.gateway.settings.channel)
    left = place.networks.difference(*(rival.networks for rival in better))
    if not left:
        return StandsBy(behind=better[0].gateway.settings.name)
    able = [rival for rival in up if rival.networks & left]
    idle = [rival for rival in able if rival.rank == place.rank and rival.repute.idle]
    yields = any(rival.share < place.share for rival in idle)
    return Leads(alone=not able, yields=yields, relieved=bool(idle), networks=left if left < everything else None)


def _row(gateway: Gateway) -> tuple[Medium, bool]:
    """The gateways that are seen together: those of a channel, on one side of the wall."""
    return gateway.settings.channel, gateway.settings.rehearsal


async def _say(connection: Connection, worker: str, words: Sequence[Word], given: Sequence[int]) -> None:
    """Write the words down, in the order of their keys: two workers that speak of one slot do not wait in a circle."""
    rows = sorted(zip(words, given, strict=True), key=lambda row: (row[0].gateway_id, row[0].slot))
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")  # said again before a crash would matter
        await connection.execute(
            """
            INSERT INTO gateway_word AS w
                (gateway_id, slot, worker, up, state, why, idle, connected, taken, since, said_at, holds_until)
            SELECT n.gateway_id, n.slot, $1, n.up, n.state, n.why, n.idle, n.connected, n.given, t.now, t.now,
                   t.now + make_interval(secs => $2)
            FROM unnest($4::smallint[], $5::smallint[], $6::boolean[], $7::text[], $8::text[], $9::boolean[],
                        $10::integer[], $11::boolean[]) AS n(gateway_id, slot, up, state, why, idle, given, connected),
                 (SELECT clock_timestamp() AS now) t
            ORDER BY n.gateway_id, n.slot
            ON CONFLICT (gateway_id, slot) DO UPDATE
            SET worker = excluded.worker, up = excluded.up, state = excluded.state, why = excluded.why,
                idle = excluded.idle, connected = excluded.connected,
                taken = excluded.taken
                    + w.taken * exp(-LEAST(extract(epoch FROM excluded.said_at - w.said_at), 600) / $3),
                since = CASE WHEN w.state = excluded.state THEN w.since ELSE excluded.since END,
                said_at = excluded.said_at, holds_until = excluded.holds_until
            """,
            worker,
            WORD,
            MEMORY,
            [word.gateway_id for word, _ in rows],
            [word.slot for word, _ in rows],
            [word.up for word, _ in rows],
            [word.state for word, _ in rows],
            [word.why for word, _ in rows],
            [word.idle for word, _ in rows],
            [count for _, count in rows],
            [word.connected for word, _ in rows],
        )


async def hear(connection: Connection) -> dict[int, Repute]:
    """What is said of each gateway now, by its id."""
    records = await connection.fetch(
        """
        SELECT gateway_id, bool_or(up AND holds_until > t.now) AS up,
               bool_or(up AND idle AND holds_until > t.now) AS idle,
               sum(taken * exp(-LEAST(extract(epoch FROM t.now - said_at), 600) / $1)) AS taken
        FROM gateway_word, (SELECT clock_timestamp() AS now) t
        GROUP BY gateway_id
        """,
        MEMORY,
    )
    return {record["gateway_id"]: Repute(record["up"], record["idle"], record["taken"]) for record in records}


async def forget(connection: Connection, worker: str) -> None:
    """What a worker said is said no more: it leaves."""
    await connection.execute("DELETE FROM gateway_word WHERE worker = $1", worker)


async def health(connection: Connection) -> list[Health]:
    """Every gateway of which somebody speaks now, by name."""
    records = await connection.fetch(
        """
        SELECT g.name, bool_or(w.up) AS up, array_agg(w.state) AS states, max(w.since) AS since,
               coalesce((array_agg(w.why ORDER BY w.since DESC) FILTER (WHERE w.why <> ''))[1], '') AS why
        FROM gateway_word w JOIN gateway g ON g.id = w.gateway_id
        WHERE w.holds_until > clock_timestamp()
        GROUP BY g.name ORDER BY g.name
        """
    )
    return [
        Health(
            record["name"],
            record["up"],
            {state: record["states"].count(state) for state in STATES},
            record["why"],
            record["since"],
        )
        for record in records
    ]


STATES = ("closed", "probing", "open")
"""The states of a breaker, as they are stored and shown."""
