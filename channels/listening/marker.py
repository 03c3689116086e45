"""Which of a machine's processes that want to listen on a port is ours: its holder keeps a name beside the port."""

from __future__ import annotations

import socket
import sys


def hold(port: int) -> socket.socket | None:
    """The name of whoever of ours listens on `port`, held until closed; None where another process holds it, or the
    system has no such names (they live in the network namespace, as ports do, and die with their holder)."""
    if sys.platform != "linux":
        return None
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind(f"\0daohu-listens-{port}")
    except OSError:
        name.close()
        return None
    return name


def ours(port: int) -> bool | None:
    """Whether a process of ours listens on `port`, which is taken; None where it cannot be told."""
    if sys.platform != "linux":
        return None
    name = hold(port)
    if name is None:
        return True
    name.close()
    return False
