"""How often Python looks for garbage that refers to itself in a circle."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""Objects made and kept since the last look, after which there is one. Python's own 700 is a look for every hundred
messages that finds nothing: a fifth of a worker's time."""


def collect_rarely() -> None:
    """For a process that will run for long: what is there now stays, and looks become rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
