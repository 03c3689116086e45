"""The parts of an alert's live page: rendered once for each state, language and reach of rights, however many watch.

What differs from one reader to the next is only the token of their forms; it is put in afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from broadcaster.alerts import authoring
from broadcaster.progress import Progress, RegionProgress, progress
from broadcaster.recent import Recent
from broadcaster.report.arrival import Pacemeter
from broadcaster.report.timeline import escalations, timeline
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.api.help_requests import help_requests
from broadcaster.web.api.notices import ABOUT_UNITS, notices
from broadcaster.web.api.units import UnitQuery, units
from broadcaster.web.context import Context
from broadcaster.web.pages.rendering import environment
from broadcaster.web.sql import SQL

NAMES = ("helps", "figures", "notices", "units", "channels", "villages", "timeline")
"""The parts in the order of the page; each has a template `console/live/_….html`."""

SHARES = "shares"
"""The part that is no HTML: households (all, reached, given up) by village, as JSON for the map."""

STATES = ("delivered", "failed", "submitted", "queued", "unknown", "expired", "cancelled")  # what matters most first
TOKEN = secrets.token_hex(24)
"""Stands for the reader's form token in what is kept; nobody outside of this process knows it."""

_VILLAGES, _UNITS, _EVENTS = 50, 200, 40
_KEPT = 500


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything in which one reader's page differs from another's: language, and where they may do what.

    `wall`: for a screen that everybody in the room can see: no names, no forms.
    """

    language: str
    see: tuple[str, ...]
    close: tuple[str, ...]
    confirm: tuple[str, ...]
    wall: bool = False

    @classmethod
    def of(cls, actor: Actor, language: str, *, wall: bool = False) -> Sight:
        """What `actor` gets to see."""
        if wall:
            return cls(language, (), (), (), wall=True)
        asked = (Action.SEE_HOUSEHOLDS, Action.CLOSE_HELP, Action.CONFIRM)
        return cls(language, *(scopes(actor, action) for action in asked))


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it is now; `mark` tells it from any other state of it."""

    mark: str
    text: str

    def signed(self, token: str) -> str:
        """With the reader's form token in its place."""
        return self.text.replace(TOKEN, token)


Parts = Mapping[str, Part]


class LiveParts:
    """The parts of every alert that is watched in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made: Recent[tuple[int, Sight], tuple[str, asyncio.Task[Parts]]] = Recent(_KEPT)
        self._pace: Recent[int, Pacemeter] = Recent(_KEPT)

    async def at(self, alert_id: int, state: str, sight: Sight) -> Parts:
        """The parts in the state that `state` names: made by whoever asks first, waited for by all others."""
        found = self._made.get((alert_id, sight))
        if found is None or found[0] != state:
            found = state, asyncio.create_task(self.now(alert_id, sight), name=f"parts-{alert_id}")
            self._made[alert_id, sight] = found
        try:
            return await asyncio.shield(found[1])
        except Exception:
            if self._made.get((alert_id, sight)) is found:
                del self._made[alert_id, sight]  # the next one tries anew
            raise

    async def now(self, alert_id: int, sight: Sight) -> Parts:
        """The parts as they are this moment."""
        values = await self._values(alert_id, sight)
        found = environment(sight.language)
        parts = {name: _part(found.get_template(f"console/live/_{name}.html").render(values)) for name in NAMES}
        parts[SHARES] = _part(shares(values["progress"]))
        return parts

    async def _values(self, alert_id: int, sight: Sight) -> dict[str, Any]:
        context, now = self._context, self._context.clock.now()
        record = await authoring.load(alert_id)
        async with context.database.connection() as connection:
            state = await progress(connection, alert_id)
            listed = await units(connection, alert_id, sight.see, UnitQuery(limit=_UNITS)) if sight.see else []
            steps = await escalations(connection, alert_id)
            events = await timeline(connection, alert_id, sight.see, _EVENTS)
            helps_open = await connection.fetchval(SQL["open_helps"], alert_id)
        helps = await help_requests(context, alert_id, sight.see, state=None, limit=_UNITS) if sight.see else []
        desk = await notices(context, alert_id, sight.see, ABOUT_UNITS, limit=_UNITS) if sight.see else []
        return {
            "record": record,
            "progress": state,
            "states": STATES,
            "villages": _silent(state),
            "villages_total": sum(one.households.reached < one.households.total for one in state.regions),
            "units": listed,
            "escalations": steps,
            "events": events,
            "helps": helps,
            "helps_open": helps_open,
            "cries": sum(one.times for one in helps if one.state.value == "open"),
            "notices": desk,
            "may_close": lambda region: bool(sight.close) and (not region or region.startswith(sight.close)),
            "may_confirm": lambda region: bool(sight.confirm) and region.startswith(sight.confirm),
            "may_see_households": bool(sight.see),
            "most": _UNITS,
            "wall": sight.wall,
            "form_token": TOKEN,
            "arrival": self._arrival(alert_id, state, record.issued_at),
            "as_of": now,
        }

    def _arrival(self, alert_id: int, state: Progress, issued_at: datetime | None) -> datetime | None:
        meter = self._pace.get(alert_id)
        if meter is None:
            meter = self._pace[alert_id] = Pacemeter()
        return meter.arrival(self._context.clock.now(), state, issued_at)


def shares(state: Progress) -> str:
    """Households by village as the map wants them: code → [all, reached, given up]."""
    found = {
        one.region: (one.households.total, one.households.reached, one.households.unreached) for one in state.regions
    }
    return msgspec.json.encode(found).decode()


def _part(text: str) -> Part:
    return Part(hashlib.sha256(text.encode()).hexdigest()[:12], text)


def _silent(state: Progress) -> list[RegionProgress]:
    """The villages with the most households that nobody has reached."""

    def missing(region: RegionProgress) -> tuple[int, int]:
        return -region.households.unreached, -region.households.pending

    open_ = [region for region in state.regions if region.households.reached < region.households.total]
    return sorted(open_, key=missing)[:_VILLAGES]
