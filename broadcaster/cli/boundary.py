"""The edge of the command line: what goes wrong inside becomes words, an exit code and, with --json, an object."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from typing import ParamSpec

import structlog
import typer

from audiences.errors import AudienceError
from broadcaster.cli.output import answer, complain
from broadcaster.errors import DaohuError, InputError, SettingsError

Parameters = ParamSpec("Parameters")

OK, FAILED, USAGE = 0, 1, 2
INTERRUPTED = 130

log = structlog.get_logger()


def command(work: Callable[Parameters, Awaitable[int | None]]) -> Callable[Parameters, None]:
    """Make a typer command of a coroutine function that returns its exit code (None is 0)."""

    @functools.wraps(work)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            code = asyncio.run(_awaited(work(*args, **kwargs)))
        except (DaohuError, AudienceError) as error:
            code = refused(error, as_json=bool(kwargs.get("as_json")))
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenPipeError:  # whoever read our output has seen enough
            sys.stderr.close()
            code = FAILED
        except Exception as error:
            log.exception("command.failed", command=work.__name__)
            complain(f"内部错误：{type(error).__name__}。", remedy="请把上面的日志交给维护人员。")
            code = FAILED
        raise typer.Exit(code or OK)

    return run


def refused(error: DaohuError | AudienceError, *, as_json: bool) -> int:
    """Tell what was refused and what to do; the exit code."""
    complain(error.what, remedy=error.remedy)
    if as_json:
        answer({"error": {"code": error.code, "what": error.what, "remedy": error.remedy.strip()}})
    return USAGE if isinstance(error, InputError | SettingsError | AudienceError) else FAILED


async def _awaited(work: Awaitable[int | None]) -> int | None:
    return await work
