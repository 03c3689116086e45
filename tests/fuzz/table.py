"""How the decoders' trials went, at the end of a run: frames, refused, understood, and what the costliest one cost."""

from __future__ import annotations

import pytest

TALLY = "decoder tried"
"""The property of a test's report under which its tally goes, whichever process ran it."""

COLUMNS = ("frames", "refused", "understood", "most_steps", "most_memory")
HEADS = ("frames", "refused", "understood", "most lines", "most octets")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    tallies = [value for report in reports for name, value in report.user_properties if name == TALLY]
    if not tallies:
        return
    terminalreporter.section("decoders tried")
    terminalreporter.write_line(f"{'decoder':24}" + "".join(f"{head:>13}" for head in HEADS))
    for tally in tallies:
        cells = "".join(f"{tally[column]:>13,}" for column in COLUMNS)
        terminalreporter.write_line(f"{tally['decoder']:24}{cells}")
