"""The driver of terminals that dial in: while it is open, a port is listened on and the sounds are served."""

from __future__ import annotations

import asyncio
import errno
import resource
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from socket import socket

from broadcaster.errors import UnavailableError
from broadcaster.parting import closed
from broadcaster.ports import (
    Capabilities,
    Driver,
    DriverPlugin,
    Envelope,
    GatewaySettings,
    Inbox,
    Journal,
    Medium,
    Outcome,
    Sent,
)
from channels.http.provider import Now, utc_now
from channels.listening import marker
from channels.listening.visitors import listens
from channels.loudspeaker.files import FileServer
from channels.loudspeaker.terminal_tcp.control import Control
from channels.loudspeaker.terminal_tcp.sealing import Sealing
from channels.loudspeaker.terminal_tcp.sending import Sending, not_connected
from channels.loudspeaker.terminal_tcp.settings import TerminalOptions
from channels.loudspeaker.terminal_tcp.wire import Layout

BATCH_MAX = 2000
BACKLOG = 4096
"""Connections that the kernel keeps for us: after a power cut all terminals dial at once."""

SPARE_FILES = 1024
"""Open files besides the terminals' connections and those by which they fetch."""


class TerminalDriver:
    """The listening port, which one process has at a time. Safe to `open` again."""

    def __init__(self, options: TerminalOptions, sealing: Sealing | None, journal: Journal, now: Now = utc_now) -> None:
        self.capabilities = Capabilities(receipts=True, replies=False, window=options.window, batch_max=BATCH_MAX)
        self._options = options
        self._layout = Layout(options.dialect)
        self._sealing = sealing
        self._journal = journal
        self._now = now
        host, port = listens("audio_listen", options.audio_listen)
        self._files = FileServer(host, port, options.audio_url, options.allowed)
        self._control: Control | None = None
        self._server: asyncio.Server | None = None
        self._name: socket | None = None
        self._leaving = False

    async def open(self, inbox: Inbox) -> None:
        """Listen for terminals; `UnavailableError` when a port is taken."""
        await self.close()
        self._allow_files()
        host, port = listens("listen", self._options.listen)
        control = Control(self._options, self._layout, inbox, self._journal, self._now, self._sealing)
        try:
            await self._files.open()
            self._server = await asyncio.get_running_loop().create_server(control.receive, host, port, backlog=BACKLOG)
        except OSError as problem:
            await control.finish(0)
            await self._files.close()
            what = self._options.listen if problem.errno != errno.EADDRINUSE else self._taken(port)
            self._journal.note("!", f"cannot listen: {problem.strerror or problem}")
            raise UnavailableError(
                f"终端网关不能在 {what} 监听：{problem.strerror or problem}。",
                remedy="端口由本系统另一个进程持有时不必处理；否则请改 listen、audio_listen，或停用占用端口的程序。",
            ) from problem
        self._name = marker.hold(port)
        self._control, self._leaving = control, False
        self._journal.note("→", f"listening for terminals on port {port}")

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, in the order in which the terminals answer."""
        control = self._control
        if control is None or self._leaving:
            for outcome in not_connected(batch):
                yield outcome
            return
        async for outcomes in Sending(control, self._files, self._layout.dialect.digits, self._journal).run(batch):
            for outcome in outcomes:
                yield outcome

    async def recall(self, sent: Sequence[Sent]) -> None:
        """Have terminals stop these; who is gone is told when it comes back. `UnavailableError` while closed."""
        control = self._control
        if control is None or self._leaving:
            raise UnavailableError("终端网关没有监听，不能停播。", remedy="连接恢复后会再次停播。")
        await control.recall(sent)
        self._journal.note("→", f"stop on {len(sent)} terminals")

    async def close(self) -> None:
        """Let terminals answer, store what they reported, listen no more."""
        control, server = self._control, self._server
        self._leaving = True
        if server is not None:
            await closed(server)
        if control is not None:
            await control.finish(self._options.answer_timeout)
        await self._files.close()
        if self._name is not None:
            self._name.close()
        self._control = self._server = self._name = None

    def _taken(self, port: int) -> str:
        """The port, and whose it is."""
        if marker.ours(port):
            return f"{self._options.listen}（由本系统另一个进程持有）"
        return f"{self._options.listen} 或 {self._options.audio_listen}（已被占用）"

    def _allow_files(self) -> None:
        """Every terminal is an open file, and another while it fetches."""
        wanted = 2 * self._options.most + SPARE_FILES
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < allowed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            self._journal.note(
                "!", f"this process may open {allowed} files: too few for {self._options.most} terminals"
            )


@dataclass(frozen=True, slots=True)
class TerminalPlugin:
    """What the entry point names. Terminals set their clocks by ours, and are told when to begin: `now` is both."""

    name: str = "terminal_tcp"
    channel: Medium = Medium.LOUDSPEAKER
    now: Now = utc_now

    def by(self, now: Now) -> DriverPlugin:
        """As `GoesByTime.by`."""
        return replace(self, now=now)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """The gateway's one driver; raises `SettingsError` when its options are wrong."""
        options = TerminalOptions.read(gateway)
        return TerminalDriver(options, options.sealing(gateway), journal, self.now)
