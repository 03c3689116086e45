"""The policy of each colour: how households are tried and how silent units are escalated, unless daohu.toml says else.

Red goes out on WeChat and SMS at once and calls after a minute; blue starts with what costs and disturbs nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadcaster.alerts.policy import ChannelStep, EscalationAction, EscalationStep, Policy
from broadcaster.ports import Medium
from broadcaster.settings.checking import Checker
from broadcaster.settings.reading import Key, Tree, bare
from broadcaster.settings.rules import choice, integer, number, setting, several, truth

COLOURS = ("red", "orange", "yellow", "blue")
ROLES = ("village_head", "grid_leader", "grid_member", "responder", "town_leader", "duty_desk")
"""The duties that may have to confirm an alert."""

MOST_TIMES = 10
"""How often one step of an escalation may be taken."""

_SMS, _WECHAT, _VOICE, _EMAIL = Medium.SMS, Medium.WECHAT, Medium.VOICE, Medium.EMAIL


def _escalation(*waits: float, calls: int = 1, every: float = 0.0) -> tuple[EscalationStep, ...]:
    """The usual ladder; `waits` are the seconds of silence before each rung after the first. The primary holders are
    called up to `calls` times, `every` seconds apart."""
    again, deputy, superior, desk, doors = waits
    return (
        EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (_SMS, _WECHAT)),
        EscalationStep(again, EscalationAction.NOTIFY_PRIMARY, (_VOICE,), calls, every),
        EscalationStep(deputy, EscalationAction.NOTIFY_DEPUTY, (_SMS, _WECHAT, _VOICE)),
        EscalationStep(superior, EscalationAction.NOTIFY_SUPERIOR, (_SMS, _VOICE)),
        EscalationStep(desk, EscalationAction.DUTY_DESK),
        EscalationStep(doors, EscalationAction.DOOR_TASKS),
    )


DEFAULT_POLICIES: dict[str, Policy] = {
    "red": Policy(
        households=(
            ChannelStep((_WECHAT, _SMS), 60),
            ChannelStep((_VOICE,), 120),
            ChannelStep((_EMAIL,), 60),
        ),
        loudspeakers=True,
        units=_escalation(60, 60, 180, 120, 60, calls=3, every=90),
    ),
    "orange": Policy(
        households=(
            ChannelStep((_WECHAT, _SMS), 180),
            ChannelStep((_VOICE,), 300),
            ChannelStep((_EMAIL,), 120),
        ),
        loudspeakers=True,
        units=_escalation(120, 180, 300, 300, 300, calls=3, every=150),
    ),
    "yellow": Policy(
        households=(
            ChannelStep((_WECHAT,), 300),
            ChannelStep((_SMS,), 600),
            ChannelStep((_EMAIL,), 300),
        ),
        loudspeakers=True,
        units=_escalation(600, 600, 900, 900, 900),
    ),
    "blue": Policy(
        households=(
            ChannelStep((_WECHAT, _EMAIL), 1800),
            ChannelStep((_SMS,), 1800),
        ),
        loudspeakers=False,
        units=_escalation(1800, 1800, 3600, 3600, 3600),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _HouseholdStep:
    channels: tuple[str, ...] = setting(several([medium for medium in Medium if medium is not Medium.LOUDSPEAKER]))
    wait: float = setting(number(0, 86_400, "秒"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnitStep:
    after: float = setting(number(0, 86_400, "秒"))
    action: str = setting(choice(*(action.value for action in EscalationAction)))
    channels: tuple[str, ...] = setting(several([medium for medium in Medium if medium is not Medium.LOUDSPEAKER]), ())
    times: int = setting(integer(1, MOST_TIMES), 1)
    every: float = setting(number(0, 86_400, "秒"), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    loudspeakers: bool = setting(truth(), True)
    loudspeaker_wait: float = setting(number(1, 86_400, "秒"), 180.0)
    unit_roles: tuple[str, ...] = setting(several(ROLES), ())


_NOTIFIES = re.compile("notify_.*")


def read_policies(checker: Checker) -> dict[str, Policy]:
    checker.known(("policies",), COLOURS, {})
    return {colour: _policy(checker, ("policies", colour), DEFAULT_POLICIES[colour]) for colour in COLOURS}


def policy_from(colour: str, values: Mapping[str, Any]) -> tuple[Policy | None, dict[Key, str]]:
    """The policy that a `[policies.COLOUR]` table with these values would give, None if it gives none; what is wrong
    with it by the key inside that table."""
    checker = _Gathering(bare({"policies": {colour: values}}, Path.cwd()), {})
    found = _policy(checker, ("policies", colour), DEFAULT_POLICIES[colour])
    return (None if checker.faults else found), checker.faults


class _Gathering(Checker):
    """A checker whose problems belong to keys, for whoever shows each beside its field."""

    def __init__(self, tree: Tree, environment: Mapping[str, str]) -> None:
        super().__init__(tree, environment)
        self.faults: dict[Key, str] = {}

    def refuse(self, key: Key, what: str) -> None:
        self.faults.setdefault(key[2:], what)


def _policy(checker: Checker, key: Key, default: Policy) -> Policy:
    checker.known(key, ("households", "loudspeakers", "loudspeaker_wait", "units", "unit_roles"), {})
    read = checker.section(_Plain, key)
    households = checker.rows((*key, "households"), lambda place, _: _household_step(checker, place))
    units = checker.rows((*key, "units"), lambda place, _: _unit_step(checker, place))
    if households == ():
        checker.refuse((*key, "households"), "至少要有一步，否则不会发给任何住户")
    return Policy(
        households=default.households if households is None else tuple(step for step in households if step),
        loudspeakers=read.get("loudspeakers", default.loudspeakers),
        loudspeaker_wait=read.get("loudspeaker_wait", default.loudspeaker_wait),
        unit_roles=read.get("unit_roles", default.unit_roles),
        units=default.units if units is None else tuple(step for step in units if step),
    )


def _household_step(checker: Checker, key: Key) -> ChannelStep | None:
    checker.known(key, ("channels", "wait"), {})
    read = checker.section(_HouseholdStep, key)
    if read.get("channels") == ():
        checker.refuse((*key, "channels"), "至少要有一个渠道")
    if len(read) < 2:
        return None
    return ChannelStep(tuple(Medium(channel) for channel in read["channels"]), read["wait"])


def _unit_step(checker: Checker, key: Key) -> EscalationStep | None:
    checker.known(key, ("after", "action", "channels", "times", "every"), {})
    read = checker.section(_UnitStep, key)
    if "after" not in read or "action" not in read:
        return None
    channels = tuple(Medium(channel) for channel in read.get("channels", ()))
    times, every = read.get("times", 1), read.get("every", 0.0)
    if times > 1 and not channels:
        checker.refuse((*key, "times"), "只有 notify_… 各步可以重复")
    if times > 1 and every <= 0:
        checker.refuse((*key, "every"), "重复时要写每隔多少秒")
    if bool(channels) != bool(_NOTIFIES.fullmatch(read["action"])):
        checker.refuse((*key, "channels"), "notify_… 各步要写渠道，duty_desk 和 door_tasks 不写")
    return EscalationStep(read["after"], EscalationAction(read["action"]), channels, times, every)
