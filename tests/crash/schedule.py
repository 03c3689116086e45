"""When faults strike and updates go out: all of it from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

PER_ROUND = 3
"""Most strikes between a warning and the end of its update."""


@dataclass(frozen=True, slots=True)
class Round:
    """One warning, its Update `update_at` seconds later, and the moments of the strikes, in seconds likewise."""

    update_at: float
    strikes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole run. The same seed draws the same again."""

    seed: int
    rounds: tuple[Round, ...]

    @classmethod
    def draw(cls, seed: int, strikes: int, *, span: float, per_round: int = PER_ROUND) -> Schedule:
        """Spread `strikes` over as many rounds as they need, each within `span` seconds after its warning."""
        chance = Random(seed)
        rounds = []
        while strikes > 0:
            count = min(strikes, per_round)
            strikes -= count
            moments = sorted(chance.uniform(0.1, span) for _ in range(count))
            rounds.append(Round(chance.uniform(0.3, span), tuple(moments)))
        return cls(seed, tuple(rounds))

    def chance(self, number: int) -> Random:
        """What the strike of this number (from 0) draws from, whatever the others drew."""
        return Random(f"{self.seed}/{number}")

    def __str__(self) -> str:
        rounds = "; ".join(
            f"update {one.update_at:.2f} s, strikes {', '.join(f'{moment:.2f}' for moment in one.strikes)} s"
            for one in self.rounds
        )
        return f"seed {self.seed}: {rounds}"
