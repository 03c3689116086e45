"""Addresses that nobody else uses: TCP ports and short socket paths."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as line:
        line.bind((host, 0))
        port: int = line.getsockname()[1]
        return port


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder whose name is short enough for unix sockets (107 bytes), which pytest's tmp_path often is not."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        yield Path(folder)
