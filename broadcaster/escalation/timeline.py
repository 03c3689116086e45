"""What a policy will do to a unit that stays silent, in words of time: for forms and for people who ask."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.ports import Medium


@dataclass(frozen=True, slots=True)
class Moment:
    """`seconds` after issue, `action` happens on `channels`."""

    seconds: float
    action: EscalationAction
    channels: tuple[Medium, ...]


def timeline(policy: Policy) -> tuple[Moment, ...]:
    """Every step of a silent unit, in order."""
    moments: list[Moment] = []
    seconds = 0.0
    for step in policy.units:
        seconds += step.after
        moments.append(Moment(seconds, step.action, step.channels))
    return tuple(moments)
