"""The parts of an alert's live page: rendered once for each state, language and reach of rights, however many watch.

What differs from one reader to the next is only the token of their forms; it is put in afterwards.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.escalation.reports import UnitReport, reports
from broadcaster.progress import Progress, RegionProgress, progress
from broadcaster.recent import Recent
from broadcaster.report.arrival import Pacemeter
from broadcaster.report.sql import SQL as REPORT
from broadcaster.report.timeline import Escalated, Happening, escalations, timeline
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.api.help_requests import HelpRequest, help_requests
from broadcaster.web.api.notices import ABOUT_UNITS, Notice, notices
from broadcaster.web.api.units import Unit, UnitQuery, units
from broadcaster.web.context import Context
from broadcaster.web.pages.once import Once
from broadcaster.web.pages.rendering import environment
from broadcaster.web.sql import SQL

NAMES = ("helps", "figures", "notices", "units", "reports", "channels", "villages", "timeline")
"""The parts in the order of the page; each has a template `console/live/_….html`."""

SHARES = "shares"
"""The part that is no HTML: households (all, reached, given up) by village, as JSON for the map."""

STANDING = "standing"
"""The part that is a mark: where it differs from the page's own, what stands above the parts is to be fetched anew."""

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
        see, close, confirm = (
            scopes(actor, action) for action in (Action.SEE_HOUSEHOLDS, Action.CLOSE_HELP, Action.CONFIRM)
        )
        return cls(language, see, close, confirm)


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it is now; `mark` tells it from any other state of it."""

    mark: str
    text: str

    def signed(self, token: str) -> str:
        """With the reader's form token in its place."""
        return self.text.replace(TOKEN, token)


Parts = Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class _Common:
    """What is the same for everybody."""

    record: AlertRecord
    standing: str
    progress: Progress
    escalations: list[Escalated]
    helps_open: int
    arrival: datetime | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class _People:
    """What is the same for everybody who may see the people of the same regions."""

    units: list[Unit]
    helps: list[HelpRequest]
    notices: list[Notice]
    events: list[Happening]
    reports: list[UnitReport]


class LiveParts:
    """The parts of every alert that is watched in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._common: Once[int, _Common] = Once()
        self._people: Once[tuple[int, tuple[str, ...]], _People] = Once()
        self._made: Once[tuple[int, Sight], Parts] = Once()
        self._pace: Recent[int, Pacemeter] = Recent(_KEPT)

    async def at(self, alert_id: int, state: str, sight: Sight) -> Parts:
        """The parts in the state that `state` names: made by whoever asks first, waited for by all others."""
        return await self._made.get((alert_id, sight), state, lambda: self._shared(alert_id, state, sight))

    async def now(self, alert_id: int, sight: Sight) -> Parts:
        """The parts as they are this moment."""
        return _render(await self._read_common(alert_id), await self._read_people(alert_id, sight.see), sight)

    async def _shared(self, alert_id: int, state: str, sight: Sight) -> Parts:
        see = sight.see
        common = await self._common.get(alert_id, state, lambda: self._read_common(alert_id))
        people = await self._people.get((alert_id, see), state, lambda: self._read_people(alert_id, see))
        return _render(common, people, sight)

    async def _read_common(self, alert_id: int) -> _Common:
        context, now = self._context, self._context.clock.now()
        async with context.database.connection() as connection:
            standing = await connection.fetchval(REPORT["standing"], alert_id)  # first: never newer than what is shown
        record = await authoring.load(alert_id)
        async with context.database.connection() as connection:
            state = await progress(connection, alert_id)
            steps = await escalations(connection, alert_id)
            helps = await connection.fetchval(SQL["open_helps"], alert_id)
        meter = self._pace.get(alert_id)
        if meter is None:
            meter = self._pace[alert_id] = Pacemeter()
        return _Common(record, standing, state, steps, helps, meter.arrival(now, state, record.issued_at), now)

    async def _read_people(self, alert_id: int, see: tuple[str, ...]) -> _People:
        context = self._context
        async with context.database.connection() as connection:
            events = await timeline(connection, alert_id, see, _EVENTS)
            listed = await units(connection, alert_id, see, UnitQuery(limit=_UNITS)) if see else []
            reported = await reports(connection, alert_id, see, _UNITS) if see else []
        if not see:
            return _People([], [], [], events, [])
        helps = await help_requests(context, alert_id, see, state=None, limit=_UNITS)
        desk = await notices(context, alert_id, see, ABOUT_UNITS, limit=_UNITS)
        return _People(listed, helps, desk, events, list(reported))


def _render(common: _Common, people: _People, sight: Sight) -> Parts:
    state = common.progress
    values = {
        "record": common.record,
        "progress": state,
        "states": STATES,
        "villages": _silent(state),
        "villages_total": sum(one.households.reached < one.households.total for one in state.regions),
        "units": people.units,
        "escalations": common.escalations,
        "events": people.events,
        "helps": people.helps,
        "helps_open": common.helps_open,
        "cries": sum(one.times for one in people.helps if one.state.value == "open"),
        "notices": people.notices,
        "reports": people.reports,
        "may_close": lambda region: bool(sight.close) and (not region or region.startswith(sight.close)),
        "may_confirm": lambda region: bool(sight.confirm) and region.startswith(sight.confirm),
        "may_see_households": bool(sight.see),
        "most": _UNITS,
        "wall": sight.wall,
        "form_token": TOKEN,
        "arrival": common.arrival,
        "as_of": common.as_of,
    }
    found = environment(sight.language)
    parts = {name: _part(found.get_template(f"console/live/_{name}.html").render(values)) for name in NAMES}
    parts[SHARES] = _part(shares(state))
    parts[STANDING] = _part(common.standing)
    return parts


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
