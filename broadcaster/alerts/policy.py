"""The policy that is frozen onto an alert when it is issued: channel order, and escalation of silent units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from broadcaster.ports import Medium


@dataclass(frozen=True, slots=True)
class ChannelStep:
    """Try `channels` together, then wait `wait` seconds for evidence before the next step."""

    channels: tuple[Medium, ...]
    wait: float


class EscalationAction(StrEnum):
    """What a step of the escalation does when the unit is still silent."""

    NOTIFY_PRIMARY = "notify_primary"  # the primary duty holders, on the step's channels
    NOTIFY_DEPUTY = "notify_deputy"  # the deputies as well
    NOTIFY_SUPERIOR = "notify_superior"  # whoever holds duty one region level up
    DUTY_DESK = "duty_desk"  # the duty desk is told to call by hand
    DOOR_TASKS = "door_tasks"  # every household of the unit that is not reached becomes a door task


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """`after` seconds of silence since the step before, do `action` on `channels`."""

    after: float
    action: EscalationAction
    channels: tuple[Medium, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """How households are tried and how silent units are escalated; plain data, stored with the alert as JSON.

    `unit_roles` are the duties that must confirm, one unit per region that has them in the alert's area.
    """

    households: tuple[ChannelStep, ...]
    loudspeakers: bool
    units: tuple[EscalationStep, ...]
    unit_roles: tuple[str, ...] = ("village_head",)
