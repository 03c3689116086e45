"""What rosters need of a worker: imports that were handed in over the web."""

from __future__ import annotations

from functools import partial

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.rosters import import_work
from broadcaster.share import Share


def share(database: Database, clock: Clock, owner: str) -> Share:
    """Does imports in the name of `owner`."""
    return Share(tended={"rosters": partial(import_work.work, database, clock, owner)})
