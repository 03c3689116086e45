"""One running speech process, seen from our side of its pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

from channels.speech.frames import PREFIX, frame, header_of, lengths

PIPE_BUFFER = 1 << 20
FAREWELL = 5.0  # s for a process to leave after its pipe is closed, then it is killed


class SpeechPipe:
    """The process and its two pipes. Its methods raise OSError, EOFError or FrameError when it is of no more use."""

    def __init__(self, process: Process, requests: asyncio.StreamWriter, answers: asyncio.StreamReader) -> None:
        self._process = process
        self._requests = requests
        self._answers = answers

    @classmethod
    async def start(cls, command: Sequence[str]) -> SpeechPipe:
        """Start `command`; `hello` tells whether it is ready."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, limit=PIPE_BUFFER, start_new_session=True
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("The speech process has no pipes.")
        return cls(process, process.stdin, process.stdout)

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as we were told."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def hello(self) -> None:
        """Wait until the library is loaded."""
        hello, _ = await self._read()
        if "error" in hello:
            raise OSError(str(hello["error"]))

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Send one request and wait for its answer: header and samples."""
        self._requests.write(frame(request))
        await self._requests.drain()
        return await self._read()

    async def end(self, *, kill: bool = False) -> None:
        """Close the pipe and wait for the process to leave; `kill` it when it cannot be trusted to."""
        if kill:
            self._kill()
        self._requests.close()
        try:
            async with asyncio.timeout(FAREWELL):
                await self._gone()
        except TimeoutError:
            self._kill()
            await self._gone()

    async def _gone(self) -> None:
        with contextlib.suppress(OSError):
            await self._requests.wait_closed()
        await self._answers.read()  # an unread pipe would keep the process's transport open
        await self._process.wait()

    def _kill(self) -> None:
        """The process and the fork that speaks for it: its session is its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _read(self) -> tuple[dict[str, Any], bytes]:
        header, body = lengths(await self._answers.readexactly(PREFIX.size))
        return header_of(await self._answers.readexactly(header)), await self._answers.readexactly(body)
