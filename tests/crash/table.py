"""The suite's result as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable

from tests.crash.verdict import Verdict

HEAD = (
    "| fault | runs | strikes | kills | sent | lost | sent twice / counted / bound | overtakings | after expiry "
    "| replies, lost | receipts lost |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def table(verdicts: Iterable[Verdict]) -> str:
    """One row for each fault, and their sum."""
    rows: dict[str, Verdict] = {}
    for verdict in verdicts:
        rows[verdict.fault] = rows[verdict.fault] + verdict if verdict.fault in rows else verdict
    if not rows:
        return ""
    first, *others = rows.values()
    total = first
    for other in others:
        total += other
    lines = [_row(verdict.fault, verdict) for verdict in rows.values()]
    return "\n".join([HEAD, *lines, _row("**all**", total)])


def _row(name: str, one: Verdict) -> str:
    return (
        f"| {name} | {one.runs} | {one.strikes} | {one.kills} | {one.sent:,} | {len(one.lost)} "
        f"| {one.twice} / {one.counted} / {one.bound} | {len(one.overtakings)} | {len(one.late)} "
        f"| {one.replies:,}, {len(one.replies_lost)} | {len(one.receipts_lost)} |"
    )
