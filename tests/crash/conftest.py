"""Installations for the crash tests, the seed they repeat, and the table they end with."""

from __future__ import annotations

import pytest

from tests.crash.table import table
from tests.crash.verdict import Verdict

VERDICTS = pytest.StashKey[list[Verdict]]()


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest) -> list[Verdict]:
    """Where runs leave their verdicts for the table."""
    return request.config.stash.setdefault(VERDICTS, [])


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What the schedules are drawn from."""
    given: int = request.config.getoption("--seed")
    return given


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if verdicts := config.stash.get(VERDICTS, []):
        terminalreporter.section("faults")
        terminalreporter.write_line(table(verdicts))
