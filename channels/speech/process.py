"""A speech library in a process of its own, asked over its pipes one text at a time.

The process is started at the first text, started again when it died or hung, and, if it is large, ended when nobody has
asked it for a while. The event loop is never held: everything here waits on pipes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from channels.speech.frames import FrameError
from channels.speech.pipe import SpeechPipe
from channels.speech.synthesizer import EngineError, Fault

REMEDY = "稍后会自动重试；若一直如此，请运行 daohu doctor 检查语音引擎。"


class SpeechProcess:
    """The process that `command` starts; `timeout` s for a text, starting included. `idle` s after the last text it is
    ended, None: never."""

    def __init__(self, command: Sequence[str], *, timeout: float, idle: float | None = None) -> None:
        self._command = tuple(command)
        self._timeout = timeout
        self._idle = idle
        self._pipe: SpeechPipe | None = None
        self._turn = asyncio.Lock()
        self._retirement: asyncio.Task[None] | None = None

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer's header and samples; a process that died or hung is started again once. `EngineError`."""
        async with self._turn:
            try:
                answer = await self._asked(request)
            except _BrokenError as first:
                answer = await self._asked_again(request, first)
        self._retire_later()
        header, _ = answer
        if "error" in header:
            raise EngineError(
                Fault.TEXT, f"语音合成引擎拒绝了文字：{header['error']}", remedy="请运行 daohu doctor 检查语音引擎。"
            )
        return answer

    async def close(self) -> None:
        """End the process; a later `ask` starts it again."""
        if self._retirement is not None:
            self._retirement.cancel()
        async with self._turn:
            await self._end()

    async def _asked_again(self, request: dict[str, Any], first: _BrokenError) -> tuple[dict[str, Any], bytes]:
        if first.hung:  # a text that takes too long would take so again
            raise _failed(first) from first
        try:
            return await self._asked(request)
        except _BrokenError as error:
            raise _failed(error) from error

    async def _asked(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """One exchange with the process. Whatever interrupts it ends the process: its pipe is then out of step."""
        try:
            async with asyncio.timeout(self._timeout):
                if self._pipe is None or not self._pipe.alive:
                    await self._end()
                    self._pipe = await SpeechPipe.start(self._command)
                    await self._pipe.hello()
                return await self._pipe.ask(request)
        except TimeoutError as error:
            await self._end(kill=True)
            raise _BrokenError(f"{self._timeout:g} 秒内没有回答", hung=True) from error
        except (OSError, EOFError, FrameError) as error:
            await self._end(kill=True)
            raise _BrokenError(str(error) or type(error).__name__, hung=False) from error
        except asyncio.CancelledError:
            await self._end(kill=True)
            raise

    async def _end(self, *, kill: bool = False) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            await pipe.end(kill=kill)

    def _retire_later(self) -> None:
        if self._idle is None:
            return
        if self._retirement is not None:
            self._retirement.cancel()
        self._retirement = asyncio.create_task(self._retire(self._idle), name="speech-retirement")

    async def _retire(self, idle: float) -> None:
        await asyncio.sleep(idle)
        async with self._turn:
            await self._end()


class _BrokenError(Exception):
    """The process died, hung or talked nonsense."""

    def __init__(self, why: str, *, hung: bool) -> None:
        super().__init__(why)
        self.hung = hung


def _failed(error: _BrokenError) -> EngineError:
    fault = Fault.SLOW if error.hung else Fault.DOWN
    return EngineError(fault, f"语音合成进程没有回答：{error}", remedy=REMEDY)
