"""A thin seam around arq, for work that takes seconds and that a sweep would find as well: synthesis, exports.

Never one job for each recipient. A job carries ids only (JSON), may run twice, and may be lost with Redis. arq reads
only the head of its queue and knows no priorities, so the queue is kept short: a job with a `key` is queued once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import structlog
from arq import Retry
from arq.connections import ArqRedis
from arq.worker import Function, Worker, func
from redis.asyncio import ConnectionPool

from broadcaster.doorbell.bell import REDIS_AWAY
from broadcaster.errors import UnavailableError
from broadcaster.tasks import ended

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

log = structlog.get_logger()

Argument: TypeAlias = str | int | float | bool | None
Job: TypeAlias = Callable[..., Awaitable[None]]
"""A coroutine function that takes what was enqueued. `UnavailableError` means: try again a little later."""

QUEUE = "daohu:jobs"
_READ_LIMIT = 1000
_TIMEOUT = 300.0  # seconds; arq gives a crashed worker's job to another after this and ten seconds more
_TRIES = 5
_RECONNECT = 2.0
_PATIENCE = 1.0  # seconds that queueing may take: a Redis that stalls holds nobody up
_SILENCE = 10.0  # seconds without an answer after which a connection is given up


class JobQueue:
    """Where jobs are put. Making one connects to nothing."""

    def __init__(self, url: str) -> None:
        self._arq = _arq(url)

    async def enqueue(self, name: str, *arguments: Argument, key: str = "", after: float = 0) -> bool:
        """Queue a job, to run `after` seconds; with a `key` only if none of that key waits or runs.

        Returns whether it is queued now; False also when Redis is away, or takes more than a second. Never raises for
        that.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                job = await self._arq.enqueue_job(name, *arguments, _job_id=key or None, _defer_by=after or None)
        except REDIS_AWAY as error:
            log.warning("jobs.away", job=name, error=type(error).__name__)
            return False
        return job is not None

    async def close(self) -> None:
        with contextlib.suppress(*REDIS_AWAY):
            await self._arq.aclose(close_connection_pool=True)


async def run_jobs(url: str, jobs: Mapping[str, Job], *, at_once: int = 4, poll: float = 0.5) -> None:
    """Run queued jobs, `at_once` at a time, until cancelled; waits for a Redis that is away."""
    logging.getLogger("arq").setLevel(logging.WARNING)  # it would log every job with its arguments
    functions = [_function(name, job) for name, job in jobs.items()]
    while True:
        pool = _arq(url)
        worker = Worker(
            functions,
            queue_name=QUEUE,
            redis_pool=pool,
            handle_signals=False,
            max_jobs=at_once,
            max_tries=_TRIES,
            job_timeout=_TIMEOUT,
            keep_result=0,
            poll_delay=poll,
            queue_read_limit=_READ_LIMIT,
            job_serializer=_packed,
            job_deserializer=json.loads,
            log_results=False,
        )
        running = asyncio.create_task(worker.async_run(), name="jobs")
        try:
            await asyncio.wait({running})  # not awaited itself: it may miss being cancelled, see `ended`
            running.result()
        except REDIS_AWAY as error:
            log.warning("jobs.lost", error=type(error).__name__)
        finally:
            # Not by `worker.close()`, which leaves the pool open when a job was cancelled.
            await ended(running)
            for task in list(worker.tasks.values()):
                await ended(task)
            with contextlib.suppress(*REDIS_AWAY):
                await pool.aclose(close_connection_pool=True)
        await asyncio.sleep(_RECONNECT)


def _function(name: str, job: Job) -> Function:
    async def run(ctx: dict[Any, Any], *arguments: Any, **_: Any) -> None:
        attempt: int = ctx["job_try"]
        try:
            await job(*arguments)
        except UnavailableError as error:
            log.warning("job.later", job=name, attempt=attempt, error=error.code)
            raise Retry(defer=2**attempt) from error
        except Exception as error:
            log.exception("job.failed", job=name, attempt=attempt, error=type(error).__name__)

    return func(cast("WorkerCoroutine", run), name=name)


def _arq(url: str) -> ArqRedis:
    pool = ConnectionPool.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_SILENCE)
    return ArqRedis(pool, job_serializer=_packed, job_deserializer=json.loads, default_queue_name=QUEUE)


def _packed(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, default=str).encode()
