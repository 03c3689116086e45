"""Starting and ending a rehearsal's process: for tests, the demo, the bench."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from broadcaster.errors import UnavailableError
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.rehearsal.client import RehearsalClient
from broadcaster.rehearsal.oracle import Report, read_report
from broadcaster.rehearsal.script import Script
from channels.line.settings import Address

LINE = "rehearsal"
"""The driver of the line."""

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0

MOST_SAID = 4096
"""Octets of its complaints that are repeated when it does not start."""

SOCKET_PATH_MAX = 100
"""Unix socket paths end at 107 bytes on Linux; a deeper folder gets its socket elsewhere."""


class RehearsalProcess:
    """One rehearsal with its script, logbook and complaints (`said`) in `folder`; ready when entered, gone
    when left."""

    def __init__(self, folder: Path, script: Script | None = None) -> None:
        self._folder = folder
        self._script = script or Script()
        self._process: asyncio.subprocess.Process | None = None
        self._elsewhere: Path | None = None
        socket = folder / "rehearsal.sock"
        if len(str(socket).encode()) > SOCKET_PATH_MAX:
            self._elsewhere = Path(tempfile.mkdtemp(prefix="daohu-"))
            socket = self._elsewhere / "rehearsal.sock"
        self.log = folder / "rehearsal.log"
        self.said = folder / "rehearsal.stderr"
        self.address = f"unix:{socket}"
        self.fronts: dict[str, Address] = {}
        self.client = RehearsalClient(self.address)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere, ignore_errors=True)

    async def start(self) -> None:
        """Start it and wait until it listens; `UnavailableError` with what it said when it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "rehearsal.json"
        config.write_bytes(self._script.to_json())
        with self.said.open("wb") as said:  # a pipe that nobody reads would hold it up, and its end
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "broadcaster.rehearsal",
                "--listen", self.address, "--config", str(config), "--log", str(self.log), "--until-input-ends",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        if process.stdout is None:
            raise RuntimeError("The process was started with pipes.")
        try:
            async with asyncio.timeout(START_TIMEOUT):
                ready = await process.stdout.readline()
        except TimeoutError:
            ready = b""
        if not ready.startswith(b"ready "):
            self.kill()
            await process.wait()
            last = self.said.read_bytes()[-MOST_SAID:].decode(errors="replace").strip()
            raise UnavailableError(f"The rehearsal did not start: {last or 'it said nothing'}.")
        self._remember(ready.decode().split()[2:])

    async def stop(self) -> None:
        """End it in good order; kill it if it does not end."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_TIMEOUT):
                    await process.wait()
            except TimeoutError:
                process.kill()
        await process.wait()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay, and it says nothing."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)

    async def restart(self) -> None:
        """Start again on the same address and logbook, after a kill or not."""
        await self.stop()
        await self.start()

    def report(self) -> Report:
        """What the logbook tells so far."""
        return read_report(self.log)

    def gateway(
        self, channel: Medium, *, rate: float, slots: int = 1, name: str = "", driver: str = LINE, **options: object
    ) -> GatewaySettings:
        """Settings of a gateway that leads here. `driver` is the line's, or one that a front of the script speaks to;
        then `user` is the account."""
        fronts = self._script.fronts
        given = {"address": self.address} if driver == LINE else fronts.gateway(driver, self.fronts)
        return GatewaySettings(
            name=name or f"rehearsal-{channel.value}",
            channel=channel,
            driver=driver,
            rate=rate,
            slots=slots,
            rehearsal=True,
            options={**given, **options},
        )

    def _remember(self, listening: list[str]) -> None:
        """Where the fronts listen, so that they do so again after a restart."""
        found = dict(one.split("=", 1) for one in listening)
        self.fronts = {name: Address.parse(address) for name, address in found.items()}
        self._script = msgspec.structs.replace(self._script, fronts=self._script.fronts.staying(self.fronts))
