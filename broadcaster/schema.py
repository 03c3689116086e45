"""The schema's history, version by version, and from which version on a running program can live with each change.

A migration is expand or contract. One that only adds (a table, a column with a default, an index) leaves the programs
of the version before at work: its `needs` is the version before, or older. One that takes away or gives a new meaning
is understood by programs of its own version only: that is its `needs`, and older ones stop themselves before it is
made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One migration. `needs`: the version that a program must know at least to go on once it is applied."""

    version: int
    app: str
    name: str
    needs: int


CHANGES = (
    Change(1, "audiences", "0001_audiences", needs=1),
    Change(2, "broadcaster", "0001_alerts", needs=2),
    Change(3, "broadcaster", "0002_dispatch", needs=3),
    Change(4, "broadcaster", "0003_responses", needs=4),
    Change(5, "broadcaster", "0004_security", needs=5),
    Change(6, "broadcaster", "0005_operations", needs=6),
    Change(7, "broadcaster", "0006_networks", needs=7),
    Change(8, "broadcaster", "0007_followers", needs=7),
    Change(9, "broadcaster", "0008_console", needs=9),
    Change(10, "broadcaster", "0009_sound", needs=9),
    Change(11, "broadcaster", "0010_intake", needs=9),
    Change(12, "broadcaster", "0011_sensors", needs=9),
    Change(13, "broadcaster", "0012_relaying", needs=9),
    Change(14, "broadcaster", "0013_judging", needs=9),
)
"""In the order in which they are applied."""

VERSION = CHANGES[-1].version
"""What this program knows."""
