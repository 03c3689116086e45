"""Where we listen, and who may come: options of gateways that open connections to us, read and applied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from broadcaster.phrase import phrase

LISTEN = re.compile(r"((?P<v4>[0-9]{1,3}(\.[0-9]{1,3}){3})|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]):(?P<port>[0-9]{1,5})")

Network: TypeAlias = IPv4Network | IPv6Network


def listens(key: str, address: str) -> tuple[str, int]:
    """Host and port of `0.0.0.0:8801` or `[::]:8801`, the value of option `key`; ValueError for anything else."""
    found = LISTEN.fullmatch(address)
    try:
        if found is None or not 0 < int(found["port"]) < 65536:
            raise ValueError
        host = IPv4Address(found["v4"]) if found["v4"] else IPv6Address(found["v6"])
        return str(host), int(found["port"])
    except ValueError:
        wanted = phrase(
            "%(option)s 现为 “%(given)s”，应为带端口的地址，如 0.0.0.0:8801", option=key, given=address[:60]
        )
        raise ValueError(wanted) from None


def network(text: str) -> Network:
    """An entry of the option `allow`; ValueError when it is neither an address nor a network."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        wanted = phrase("allow 中的 “%(given)s” 不是地址或网段，应如 10.3.2.0/24", given=text[:60])
        raise ValueError(wanted) from None


def expected(address: str, allowed: Sequence[Network]) -> bool:
    """Whether a machine with this address may come; with nothing `allowed`, every machine may."""
    if not allowed:
        return True
    try:
        where = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(where, "ipv4_mapped", None)
    return any((mapped or where) in each for each in allowed)
