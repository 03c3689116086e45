"""Addresses that nobody else uses: TCP ports and short socket paths."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count, islice
from pathlib import Path

_LANE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_OURS = range(12_000 + 2_500 * _LANE, 12_000 + 2_500 * (_LANE + 1))
"""Ports of this lane of the tests, below those that the kernel gives to connections (from 32,768): whoever is given one
finds it free a little later as well."""

_APART = 4
"""A pair from an even number on (RTP and RTCP) lies between two that are given."""

_OPEN = ("01", "08")
"""Of the kernel's states of a TCP socket those before our end closes it: ESTABLISHED, CLOSE_WAIT."""

_next = count(os.getpid() * _APART, _APART)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP and UDP port that nobody has, and that is given to nobody else before long; nor are the three after it."""
    for number in islice(_next, len(_OURS) // _APART):
        port = _OURS[number % len(_OURS)]
        with suppress(OSError), socket.socket() as line, socket.socket(type=socket.SOCK_DGRAM) as packets:
            line.bind((host, port))
            packets.bind((host, port))
            return port
    raise OSError(f"No port of {_OURS} is free.")


def listens(port: int, kind: str) -> bool:
    """Whether somebody has bound the port ("tcp" or "udp", IPv4), by the kernel's table: nothing is sent there."""
    return f":{port:04X} " in Path(f"/proc/net/{kind}").read_text("ascii")


def connected(port: int) -> bool:
    """Whether somebody here has a connection to the port that he has not closed (IPv4), by the kernel's table."""
    rows = (row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
    return any(row[2].endswith(f":{port:04X}") and row[3] in _OPEN for row in rows)


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder whose name is short enough for unix sockets (107 bytes), which pytest's tmp_path often is not."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        yield Path(folder)
