"""A connection to a subscriber's broker, to an address that was looked at before."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import urlsplit

from adapters.fetching.door import PrivateAddressError, is_public
from adapters.mqtt.session import PLAIN_PORT, SECURE_PORT
from broadcaster.clock import since_boot
from broadcaster.outlets import Hook
from broadcaster.trust import trusting


def connect(hook: Hook, seconds: float) -> socket.socket:
    """A connection to the broker, encrypted for mqtts; `OSError` where there is none. Blocks."""
    parts = urlsplit(hook.url)
    secure, host = parts.scheme == "mqtts", parts.hostname or ""
    trust = trusting(hook.manner.authority) if secure else None
    port = parts.port or (SECURE_PORT if secure else PLAIN_PORT)
    made = _reach(_places(host, port, private=hook.private), seconds)
    try:
        return trust.wrap_socket(made, server_hostname=host) if trust is not None else made
    except BaseException:
        made.close()
        raise


def _places(host: str, port: int, *, private: bool) -> list[tuple[str, int]]:
    """Where the name leads: what is looked at is what is connected to."""
    found = dict.fromkeys(str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    allowed = [(one, port) for one in found if private or is_public(one)]
    if not allowed:
        raise PrivateAddressError(host)
    return allowed


def _reach(places: list[tuple[str, int]], seconds: float) -> socket.socket:
    """The first that answers, within `seconds` altogether: a name with many dead addresses outlasts no lease."""
    end = since_boot() + seconds
    for place in places[:-1]:
        with suppress(OSError):
            return socket.create_connection(place, timeout=seconds / len(places))
    made = socket.create_connection(places[-1], timeout=max(end - since_boot(), 0.001))
    made.settimeout(seconds)
    return made
