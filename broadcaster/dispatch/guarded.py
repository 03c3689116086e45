"""A worker's work, guarded: what goes wrong in one piece of it is said, and ends no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from broadcaster.database import DATABASE_AWAY
from broadcaster.errors import DaohuError

log = structlog.get_logger()


async def guarded(work: Callable[[], Awaitable[object]]) -> object:
    """What `work` returns; None after a fault: a database that is away, or one piece of work that fails, does not
    end the worker."""
    try:
        return await work()
    except DATABASE_AWAY as error:
        log.warning("worker.database_away", error=type(error).__name__, detail=str(error)[:200])
    except DaohuError as error:
        log.error("worker.refused", what=error.what)
    except Exception:
        log.exception("worker.fault")
    return None
