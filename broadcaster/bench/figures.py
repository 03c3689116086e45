"""What a run of the bench found, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run. Rates are deliveries per second from the moment of issue: until all are planned, until the gateway has
    taken the last, until the last receipt is counted. `seconds` is the whole. `first_submit_ms` is from issue to the
    first message at the gateway. `rss_mb_max` is the largest worker's memory. `duplicates` and `lost` come from the
    gateway's own record. `driver` is what spoke to the gateway, `parts` in how many short messages each message
    went out, on average. `cpu_us` is CPU time per delivery in microseconds, by who used it.
    """

    recipients: int
    plan_rows_per_s: float
    submitted_per_s: float
    receipted_per_s: float
    seconds: float
    first_submit_ms: float
    rss_mb_max: float
    workers: int
    database: str
    driver: str
    parts: float
    duplicates: int
    lost: int
    cpu_us: Mapping[str, float]


HEAD = (
    "| recipients | workers | driver | database | planned/s | submitted/s | receipted/s | seconds | first submit "
    "| worker memory | CPU per delivery | duplicates | lost |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def table(runs: Sequence[Figures]) -> str:
    """The runs as a Markdown table."""
    return "\n".join([HEAD, *map(_row, runs)])


def _row(run: Figures) -> str:
    cpu = ", ".join(f"{who} {used:.1f} µs" for who, used in run.cpu_us.items())
    cells = (
        f"{run.recipients:,}",
        str(run.workers),
        run.driver if run.parts == 1 else f"{run.driver}, {run.parts:g} parts",
        run.database,
        f"{run.plan_rows_per_s:,.0f}",
        f"{run.submitted_per_s:,.0f}",
        f"{run.receipted_per_s:,.0f}",
        f"{run.seconds:.1f}",
        f"{run.first_submit_ms:.0f} ms",
        f"{run.rss_mb_max:.0f} MB",
        cpu,
        str(run.duplicates),
        str(run.lost),
    )
    return f"| {' | '.join(cells)} |"
