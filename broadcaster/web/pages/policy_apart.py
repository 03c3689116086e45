"""What one policy has that another has not, part by part, to be marked where the two stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from broadcaster.alerts.policy import Policy


@dataclass(frozen=True, slots=True)
class Apart:
    """The places of steps, the roles, and whether it is different with loudspeakers."""

    households: frozenset[int]
    units: frozenset[int]
    roles: frozenset[str]
    loudspeakers: bool

    @classmethod
    def of(cls, one: Policy, other: Policy) -> Apart:
        """What of `one` is not so in `other`. Steps are compared in their order: one that was put in between does not
        make those behind it different."""
        return cls(
            households=_steps(other.households, one.households),
            units=_steps(other.units, one.units),
            roles=frozenset(one.unit_roles) - frozenset(other.unit_roles),
            loudspeakers=(one.loudspeakers, one.loudspeaker_wait) != (other.loudspeakers, other.loudspeaker_wait),
        )

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return bool(self.households or self.units or self.roles or self.loudspeakers)


def _steps(before: Sequence[Any], after: Sequence[Any]) -> frozenset[int]:
    matching = SequenceMatcher(None, list(map(repr, before)), list(map(repr, after)), autojunk=False)
    return frozenset(
        place for tag, _, _, first, last in matching.get_opcodes() if tag != "equal" for place in range(first, last)
    )
