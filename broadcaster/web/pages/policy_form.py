"""A policy as a form: its fields by name, and back. A row that is left empty is no step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.ports import Medium
from broadcaster.settings.policies import ROLES, policy_from
from broadcaster.web.pages.forms import Form

CHANNELS = tuple(medium.value for medium in Medium if medium is not Medium.LOUDSPEAKER)
MOST_STEPS, MOST_RUNGS = 8, 12
"""Rows that a form may have."""

SPARE = 2
"""Empty rows that are offered."""


def filled(policy: Policy) -> dict[str, str]:
    """The fields that say this policy."""
    values = {
        "loudspeakers": "yes" if policy.loudspeakers else "",
        "loudspeaker_wait": _number(policy.loudspeaker_wait),
    }
    values |= {f"role_{role}": "yes" for role in policy.unit_roles}
    for number, step in enumerate(policy.households):
        values[f"h{number}_wait"] = _number(step.wait)
        values |= {f"h{number}_{channel.value}": "yes" for channel in step.channels}
    for number, rung in enumerate(policy.units):
        values[f"u{number}_after"] = _number(rung.after)
        values[f"u{number}_action"] = rung.action.value
        if rung.times > 1:
            values |= {f"u{number}_times": str(rung.times), f"u{number}_every": _number(rung.every)}
        values |= {f"u{number}_{channel.value}": "yes" for channel in rung.channels}
    return values


def rows(values: Mapping[str, str], letter: str, most: int) -> range:
    """The numbers of the rows to show: those with anything in them, and a few empty ones."""
    used = [number for number in range(most) if any(values.get(f"{letter}{number}_{name}") for name in _ROW)]
    return range(min(most, (used[-1] + 1 if used else 0) + SPARE))


def read(colour: str, form: Form) -> Policy | None:
    """The policy that was typed; None if something is wrong, which then stands in the form's faults."""
    given = form.values
    households = [number for number in range(MOST_STEPS) if _used(given, "h", number)]
    units = [number for number in range(MOST_RUNGS) if _used(given, "u", number)]
    policy, faults = policy_from(
        colour,
        {
            "loudspeakers": given.get("loudspeakers") == "yes",
            **({"loudspeaker_wait": _seconds(wait)} if (wait := given.get("loudspeaker_wait", "").strip()) else {}),
            "unit_roles": [role for role in ROLES if given.get(f"role_{role}") == "yes"],
            "households": [_row(given, "h", number, "wait") for number in households],
            "units": [_row(given, "u", number, "after") for number in units],
        },
    )
    for key, what in faults.items():
        form.faults[_field(key, households, units)] = what
    return policy


_ROW = ("wait", "after", "action", "times", "every", *CHANNELS)


def _used(given: Mapping[str, str], letter: str, number: int) -> bool:
    return any(given.get(f"{letter}{number}_{name}", "").strip() for name in _ROW)


def _row(given: Mapping[str, str], letter: str, number: int, wait: str) -> dict[str, Any]:
    """One step in the words of the settings; what is missing is left out, so that it is missed."""
    row: dict[str, Any] = {"channels": [one for one in CHANNELS if given.get(f"{letter}{number}_{one}") == "yes"]}
    typed = given.get(f"{letter}{number}_{wait}", "").strip()
    if typed:
        row[wait] = _seconds(typed)
    if letter == "u":
        if given.get(f"u{number}_action"):
            row["action"] = given[f"u{number}_action"]
        if typed := given.get(f"u{number}_times", "").strip():
            row["times"] = int(typed) if typed.isdecimal() and len(typed) < 4 else typed
        if typed := given.get(f"u{number}_every", "").strip():
            row["every"] = _seconds(typed)
    return row


def _seconds(typed: str) -> float | str:
    try:
        number = float(typed)
    except ValueError:
        return typed
    return number if math.isfinite(number) else typed


def _field(key: tuple[str, ...], households: list[int], units: list[int]) -> str:
    """The name of the field that a key of the settings stands for."""
    match key:
        case ("households", place, *rest):
            return f"h{households[int(place)]}_{rest[0] if rest else 'wait'}"
        case ("units", place, *rest):
            return f"u{units[int(place)]}_{rest[0] if rest else 'after'}"
    return key[0] if key else "households"


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(value)


def actions() -> Iterator[str]:
    """What a step of the escalation may do."""
    yield from (action.value for action in EscalationAction)
