"""From what somebody said, and who that may be, to what it settles. Pure: the rules are here, the reading elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from broadcaster.responses.reply import Acknowledge, Help, NotUnderstood, Understanding
from broadcaster.responses.response import Intent, Outcome


class Standing(IntEnum):
    """Why a person may answer for a unit; the lower one is the better reason."""

    HOLDER = 0  # holds the unit's own duty now, as primary or deputy
    ASKED = 1  # was asked by escalation, on the ground of a duty that still lasts
    SUPERIOR = 2  # answers one region level up, and was not asked
    RELIEVED = 3  # was asked, but the duty is over: does not count any more


_OWN = frozenset({Standing.HOLDER, Standing.ASKED})

ALWAYS = datetime.min.replace(tzinfo=UTC)

SKEW = timedelta(seconds=5)
"""How far a gateway's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Heard:
    """From when on a reply can be an answer to an alert: `plain` if it says no code, `coded` if it says the alert's.

    Nobody answers what they have not been told, and an answer to the alert before it, handed over late, would stop this
    one. An Update has the code of what it replaces, so the code proves nothing then. None: not yet.
    """

    plain: datetime | None = ALWAYS
    coded: datetime | None = ALWAYS

    def before(self, received_at: datetime, *, with_code: bool) -> bool:
        """Whether a reply of `received_at`, by the gateway's clock, may be an answer."""
        since = self.coded if with_code else self.plain
        return since is not None and received_at + SKEW >= since


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit for which one of the sender's persons may answer. `open`: its alert is; `waiting`: so is the unit."""

    unit_id: int
    alert_id: int
    code: str
    open: bool
    waiting: bool
    standing: Standing
    person_id: int
    heard: Heard = Heard()


@dataclass(frozen=True, slots=True)
class Home:
    """A household of the sender that is a target of an open alert."""

    household_id: int
    alert_id: int
    code: str
    heard: Heard = Heard()


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything about a sender that matters now. `codes` are those of all open alerts that could be meant;
    `unheard`: something that could be meant had not been told to the sender yet; `untold`: the homes among it."""

    known: bool
    household_ids: tuple[int, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    homes: tuple[Home, ...] = ()
    codes: frozenset[str] = frozenset()
    unheard: bool = False
    untold: tuple[Home, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reply settles: units to confirm and households to count as reached, all of one alert.

    `options` are the alerts between which the sender should choose; `help` raises a request for `help_households`, or
    for the first unit, or for the bare address.
    """

    intent: Intent
    outcome: Outcome
    alert_id: int | None = None
    unit_ids: tuple[int, ...] = ()
    person_id: int | None = None
    household_ids: tuple[int, ...] = ()
    help_households: tuple[int, ...] = ()
    moved: int | None = None
    options: tuple[int, ...] = ()


def decide(
    said: Understanding,
    situation: Situation,
    received_at: datetime,
    about_alert: int | None = None,
    about_unit: int | None = None,
) -> Decision:
    """What it settles. `about_alert` and `about_unit` are known when a link or a call was answered."""
    if isinstance(said, NotUnderstood):
        return Decision(Intent.NONE, Outcome.NOT_UNDERSTOOD)
    situation = _meant(situation, said.code, about_alert, about_unit)
    if isinstance(said, Help):
        return _help(situation)
    if about_alert is None:
        situation = _heard(situation, received_at, with_code=bool(said.code))
    return _acknowledge(said, situation, named_unit=about_unit is not None)


def _meant(situation: Situation, code: str, about_alert: int | None, about_unit: int | None) -> Situation:
    """The situation without what the reply cannot mean."""
    return Situation(
        situation.known,
        situation.household_ids,
        tuple(
            one
            for one in situation.candidates
            if code in ("", one.code) and about_alert in (None, one.alert_id) and about_unit in (None, one.unit_id)
        ),
        tuple(home for home in situation.homes if code in ("", home.code) and about_alert in (None, home.alert_id)),
        situation.codes,
    )


def _heard(situation: Situation, received_at: datetime, *, with_code: bool) -> Situation:
    """The situation without what the sender had not been told when the reply was written."""
    candidates = tuple(
        one
        for one in situation.candidates
        if not (one.open and one.waiting) or one.heard.before(received_at, with_code=with_code)
    )
    homes = tuple(home for home in situation.homes if home.heard.before(received_at, with_code=with_code))
    untold = tuple(home for home in situation.homes if home not in homes)
    unheard = len(candidates) < len(situation.candidates) or bool(untold)
    return replace(situation, candidates=candidates, homes=homes, unheard=unheard, untold=untold)


def _help(situation: Situation) -> Decision:
    own = [one for one in situation.candidates if one.open and one.standing in _OWN]
    alerts = {one.alert_id for one in own} | {home.alert_id for home in situation.homes}
    alert_id = alerts.pop() if len(alerts) == 1 else None
    return Decision(
        Intent.HELP,
        Outcome.HELP_RAISED,
        alert_id,
        unit_ids=tuple(dict.fromkeys(one.unit_id for one in own))[:1],
        person_id=own[0].person_id if own else None,
        household_ids=_at_home(situation, alert_id),
        help_households=() if own else situation.household_ids,
    )


def _acknowledge(said: Acknowledge, situation: Situation, *, named_unit: bool) -> Decision:
    waiting = [
        one for one in situation.candidates if one.open and one.waiting and one.standing is not Standing.RELIEVED
    ]
    settling = [one for one in waiting if named_unit or one.standing is Standing.HOLDER]
    if not settling:  # a superior answers for one unit, never for several with one word
        asked = [one for one in waiting if one.standing is Standing.ASKED] or waiting
        settling = asked if len({one.unit_id for one in asked}) == 1 else []
    alerts = tuple(dict.fromkeys(one.alert_id for one in settling))
    if len(alerts) > 1:
        return Decision(Intent.AMBIGUOUS, Outcome.SEVERAL_ALERTS, moved=said.moved, options=alerts)
    if alerts:
        best = min(settling, key=lambda one: (one.standing, one.unit_id))
        units = tuple(sorted({one.unit_id for one in settling}))
        homes = _at_home(situation, alerts[0], told_on_duty=True)
        return Decision(Intent.ACKNOWLEDGE, Outcome.SETTLED, alerts[0], units, best.person_id, homes, moved=said.moved)
    return _settles_no_unit(said, situation, several_units=bool(waiting), named_unit=named_unit)


def _settles_no_unit(said: Acknowledge, situation: Situation, *, several_units: bool, named_unit: bool) -> Decision:
    """The acknowledgement of somebody whom no unit waits for: a resident, or a duty holder a second time."""
    own = [one for one in situation.candidates if one.standing in _OWN]
    again = [one for one in own if one.open and not one.waiting]
    if again:
        return _recorded(Outcome.DUPLICATE, again[0], said, situation)
    alerts = tuple(dict.fromkeys(home.alert_id for home in situation.homes))
    if several_units:
        return Decision(Intent.AMBIGUOUS, Outcome.SEVERAL_UNITS, alerts[0] if len(alerts) == 1 else None)
    if len(alerts) == 1:
        homes = _at_home(situation, alerts[0])
        return Decision(Intent.ACKNOWLEDGE, Outcome.REACHED, alerts[0], household_ids=homes, moved=said.moved)
    if alerts:
        return Decision(Intent.AMBIGUOUS, Outcome.SEVERAL_ALERTS)
    if own:
        return _recorded(Outcome.LATE, own[-1], said, situation)
    return Decision(Intent.ACKNOWLEDGE, _why_nothing(said, situation, named_unit=named_unit), moved=said.moved)


def _recorded(outcome: Outcome, unit: Candidate, said: Acknowledge, situation: Situation) -> Decision:
    """It is written down beside the unit and changes nothing of it; the sender's home heard the alert all the same."""
    return Decision(
        Intent.ACKNOWLEDGE,
        outcome,
        unit.alert_id,
        (unit.unit_id,),
        unit.person_id,
        _at_home(situation, unit.alert_id, told_on_duty=unit.open),
        moved=said.moved,
    )


def _why_nothing(said: Acknowledge, situation: Situation, *, named_unit: bool) -> Outcome:
    if situation.unheard:
        return Outcome.TOO_EARLY
    if named_unit or any(one.open and one.waiting for one in situation.candidates):
        return Outcome.NOT_COMPETENT
    if not situation.known:
        return Outcome.UNKNOWN_SENDER
    if said.code and said.code not in situation.codes:
        return Outcome.UNKNOWN_CODE
    return Outcome.NOTHING_OPEN


def _at_home(situation: Situation, alert_id: int | None, *, told_on_duty: bool = False) -> tuple[int, ...]:
    """The sender's homes that have heard the alert: told there, or by whoever lives there and answers on duty."""
    homes = situation.homes + situation.untold if told_on_duty else situation.homes
    return tuple(home.household_id for home in homes if home.alert_id == alert_id)
