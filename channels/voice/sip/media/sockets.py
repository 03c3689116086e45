"""Pairs of UDP ports for RTP and RTCP (RFC 3550 section 11: even, and the next one)."""

from __future__ import annotations

import ipaddress
import secrets
import socket

TRIES = 200


def pair(host: str, ports: range | None) -> tuple[socket.socket, socket.socket]:
    """Two sockets on `host` that do not block, on an even port and the next, out of `ports` if given. OSError when none
    is free."""
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    even = ports or range(20_000, 60_000)
    first = even.start + even.start % 2
    places = max(1, (even.stop - first) // 2)
    start = secrets.randbelow(places)
    problem: OSError | None = None
    for step in range(min(places, TRIES)):
        port = first + 2 * ((start + step) % places)
        try:
            return _bound(family, host, port)
        except OSError as error:
            problem = error
    raise problem or OSError("no port")


def _bound(family: int, host: str, port: int) -> tuple[socket.socket, socket.socket]:
    made: list[socket.socket] = []
    try:
        for number in (port, port + 1):
            line = socket.socket(family, socket.SOCK_DGRAM)
            made.append(line)
            line.setblocking(False)
            line.bind((host, number))
    except OSError:
        for line in made:
            line.close()
        raise
    return made[0], made[1]
