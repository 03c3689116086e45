"""Icecast, which nobody here wrote: a server of its own, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import pwd
from pathlib import Path
from types import TracebackType
from typing import Self

from imageio_ffmpeg import get_ffmpeg_exe

from tests.harness.parties import program
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

SECRET, ADMIN = "source-word", "admin-word"
CONFIG = """<icecast>
  <location>here</location><admin>nobody@localhost</admin><hostname>localhost</hostname>
  <limits><clients>100</clients><sources>20</sources><queue-size>524288</queue-size><client-timeout>30</client-timeout>
    <header-timeout>15</header-timeout><source-timeout>10</source-timeout><burst-on-connect>0</burst-on-connect></limits>
  <authentication><source-password>{secret}</source-password><relay-password>{secret}</relay-password>
    <admin-user>admin</admin-user><admin-password>{admin}</admin-password></authentication>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><basedir>/usr/share/icecast2</basedir><logdir>{folder}</logdir><webroot>/usr/share/icecast2/web</webroot>
    <adminroot>/usr/share/icecast2/admin</adminroot></paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
</icecast>"""


class Icecast:
    """Runs as long as it is entered."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._program = program("icecast2", package="icecast2")
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        owner = ""
        if os.geteuid() == 0:  # it will not be root
            owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"
            logs = self._folder / "icecast"
            logs.mkdir(exist_ok=True)
            os.chown(logs, pwd.getpwnam("nobody").pw_uid, -1)
            for parent in [logs, *logs.parents]:
                if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        else:
            logs = self._folder
        config = self._folder / "icecast.xml"
        while True:
            config.write_text(CONFIG.format(secret=SECRET, admin=ADMIN, port=self.port, folder=logs, owner=owner))
            self._process = process = await asyncio.create_subprocess_exec(
                self._program, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )

            async def up(process: asyncio.subprocess.Process = process) -> bool:
                return process.returncode is not None or await self._answers()

            await wait_until(up, what="Icecast to answer")
            if process.returncode is None:
                return
            self.port = free_port()  # somebody else was faster

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def listen(self, mount: str, seconds: float) -> asyncio.subprocess.Process:
        """ffmpeg, listening to a mount; it writes so many seconds of samples to standard output."""
        return await asyncio.create_subprocess_exec(
            get_ffmpeg_exe(), "-v", "error", "-probesize", "2048", "-analyzeduration", "0",
            "-i", f"http://127.0.0.1:{self.port}{mount}", "-t", str(seconds), "-f", "s16le", "-ar", "8000", "-ac", "1",
            "pipe:1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def page(self, path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        content = await reader.read()
        writer.close()
        return content

    async def _answers(self) -> bool:
        try:
            return b"HTTP/1.0 200" in await self.page("/status-json.xsl")
        except OSError:
            return False
