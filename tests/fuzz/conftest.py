"""Runs the trials; how they went is told at the end of the run, see `table.py`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Protocol

import pytest

from tests.fuzz.table import TALLY
from tests.fuzz.trial import Decoder, Tally, trial


class Fuzz(Protocol):
    """As `trial`, with the run's seed."""

    def __call__(self, decoder: Decoder, frames: int, weighed: int = 1) -> Tally: ...


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """Try a decoder with so many frames, drawn from `--seed`."""

    def run(decoder: Decoder, frames: int, weighed: int = 1) -> Tally:
        tally = trial(decoder, frames, request.config.getoption("--seed"), weighed)
        request.node.user_properties.append((TALLY, asdict(tally)))
        return tally

    return run
