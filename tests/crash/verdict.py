"""What a run showed: the carriers' books held against the ledger."""

from __future__ import annotations

from dataclasses import dataclass, fields

from broadcaster.conservation import Breach
from broadcaster.rehearsal.oracle import Overtaking


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The figures of one run, or of several together. `sent` counts messages that carriers took.

    `twice` were taken again; `counted` is what the ledger says of them: at least `provable` (evidence about two
    attempts was acknowledged), at most `repeated` (deliveries that really went out twice). `bound` is what was in
    flight on the connections that were cut. `rates` are accounts that were given too much in a second.
    """

    fault: str
    schedule: str
    runs: int = 1
    strikes: int
    midst: int
    kills: int
    sent: int
    lost: tuple[str, ...] = ()
    twice: int
    repeated: int
    provable: int
    counted: int
    bound: int
    overtakings: tuple[Overtaking, ...] = ()
    late: tuple[str, ...] = ()
    replies: int
    replies_lost: tuple[str, ...] = ()
    receipts_lost: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    breaches: tuple[Breach, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        added = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name not in {"fault", "schedule"}
        }
        return Verdict(fault=self.fault, schedule=f"{self.schedule}; {other.schedule}", **added)

    def objections(self) -> list[str]:
        """What is not as promised."""
        found = [
            f"lost {len(self.lost)}: {_some(self.lost)}" if self.lost else "",
            f"sent twice {self.twice}, more than {self.bound} in flight" if self.twice > self.bound else "",
            f"counted {self.counted} of {self.provable} provable duplicates" if self.counted < self.provable else "",
            f"counted {self.counted} duplicates, but only {self.repeated} were" if self.counted > self.repeated else "",
            f"overtaken {len(self.overtakings)}: {_some(self.overtakings)}" if self.overtakings else "",
            f"sent after expiry {len(self.late)}: {_some(self.late)}" if self.late else "",
            f"replies lost {len(self.replies_lost)}: {_some(self.replies_lost)}" if self.replies_lost else "",
            f"receipts lost {len(self.receipts_lost)}: {_some(self.receipts_lost)}" if self.receipts_lost else "",
            f"too fast: {_some(self.rates)}" if self.rates else "",
            f"sums that do not hold: {_some(self.breaches)}" if self.breaches else "",
            f"only {self.midst} of {self.strikes} strikes met a carrier at work"
            if self.midst * 2 < self.strikes
            else "",
        ]
        return [objection for objection in found if objection]


def _some(things: tuple[object, ...]) -> str:
    return "; ".join(map(str, things[:8])) + (" …" if len(things) > 8 else "")
