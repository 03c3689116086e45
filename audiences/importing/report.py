"""What an import says afterwards: what changed, and every row that needs a person's eye."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audiences.importing.differences import RecordChange

# Problems beyond this many are counted, not kept, so that a wrong file of any length fits in memory.
PROBLEMS_KEPT = 10_000

# (rows read, share of the whole import done from 0 to 1)
Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One cell that could not be used. `row` counts as a spreadsheet does (the header is usually row 1).

    `value` is shortened, and masked where it is personal; `allowed` says what belongs there; `kept` whether the rest of
    the row was taken.
    """

    row: int
    column: str
    value: str
    allowed: str
    kept: bool

    def __str__(self) -> str:
        outcome = "该值忽略，本行其余保留" if self.kept else "本行未导入"
        return f"第 {self.row} 行 {self.column}“{self.value}”：{self.allowed}（{outcome}）"


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the records of one table."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0


@dataclass(frozen=True, slots=True)
class PlaceChanges:
    """What happened to the records of one table in one village, or in a region above villages.

    `example` is the key of one of them: a 户号, a resource code, a role; "" for what is personal.
    """

    table: str
    region: str
    added: int = 0
    updated: int = 0
    deactivated: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one file. `rows` were read below the header, blank ones aside; `refused` of them were left out.

    `merged` rows said something about a key that an earlier row had named already. `changes` is by table, `places` the
    same by village. `fields`: of how many homes each field is another; `differences`: the first records that would
    become others, of `difference_count` in all (both told by a dry run alone).
    """

    kind: str
    rows: int
    refused: int
    merged: int
    changes: Mapping[str, Changes]
    problems: tuple[RowProblem, ...]
    problem_count: int
    ignored_columns: tuple[str, ...]
    seconds: float
    dry_run: bool
    places: tuple[PlaceChanges, ...] = ()
    fields: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[RecordChange, ...] = ()
    difference_count: int = 0


@dataclass(slots=True)
class Problems:
    """Collects problems while a file is read."""

    kept: list[RowProblem] = field(default_factory=list)
    count: int = 0
    refused: int = 0

    def refuse(self, row: int, column: str, value: str, allowed: str) -> None:
        """The whole row is left out."""
        self.refused += 1
        self._add(RowProblem(row, column, value, allowed, kept=False))

    def ignore(self, row: int, column: str, value: str, allowed: str) -> None:
        """Only this value is left out."""
        self._add(RowProblem(row, column, value, allowed, kept=True))

    def _add(self, problem: RowProblem) -> None:
        self.count += 1
        if len(self.kept) < PROBLEMS_KEPT:
            self.kept.append(problem)
