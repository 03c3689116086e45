"""What the tests of dispatch may ask for besides."""

from __future__ import annotations

import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from tests.harness.district import District


@pytest.fixture
def district(database: Database, clock: ManualClock) -> District:
    """A district without villages, and a clock that is turned by hand."""
    return District(database, clock)
