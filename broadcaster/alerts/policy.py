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
    """`after` seconds of silence since the step before, do `action` on `channels`; up to `times` in all, `every`
    seconds of silence apart. Whom a call has reached, or still rings, is not called again by the same step."""

    after: float
    action: EscalationAction
    channels: tuple[Medium, ...] = ()
    times: int = 1
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that is done `wait` seconds after the one before: a step, or its repetition (`again`)."""

    wait: float
    step: EscalationStep
    again: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """How households are tried and how silent units are escalated; plain data, stored with the alert as JSON.

    `unit_roles` are the duties that must confirm, one unit per region that has them in the alert's area. A loudspeaker
    that has failed, or of which nothing was heard `loudspeaker_wait` seconds after the issue, is silent: its homes take
    their next step without waiting.
    """

    households: tuple[ChannelStep, ...]
    loudspeakers: bool
    units: tuple[EscalationStep, ...]
    unit_roles: tuple[str, ...] = ("village_head",)
    loudspeaker_wait: float = 180.0

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Everything that a silent unit sees, in order: each step as often as it is repeated."""
        return tuple(
            Rung(step.every if time else step.after, step, again=time > 0)
            for step in self.units
            for time in range(step.times)
        )
