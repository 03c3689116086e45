"""A flood of one kind of line leaves room in the journal for the others."""

from __future__ import annotations

from broadcaster.testing import MemoryJournal
from channels.listening.sparing import Sparing


def test_a_line_that_comes_often_is_kept_once_a_minute_with_how_often_it_was_meant() -> None:
    seconds, journal = [0.0], MemoryJournal()
    refusals = Sparing("!", now=lambda: seconds[0])
    for second in range(125):
        seconds[0] = float(second)
        refusals.note(journal, "refused")
    assert journal.lines == [
        "! refused",
        "! refused, and 59 times since the last such line",
        "! refused, and 59 times since the last such line",
    ]
