"""Where a request may go: not into private networks, whatever a name resolves to, unless the operator has said so."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """The name, or the address itself, lies in a private network."""


def is_public(written: str) -> bool:
    """Whether an IP address is one of the public internet, also where an IPv6 address carries an IPv4 one."""
    try:
        found: IPv4Address | IPv6Address = ip_address(written.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast


def require_public(host: str) -> None:
    """`PrivateAddressError` for a private address that is written as such: no resolver is asked for it."""
    bare = host.strip("[]")
    try:
        ip_address(bare.partition("%")[0])
    except ValueError:
        return
    if not is_public(bare):
        raise PrivateAddressError(bare)


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; the connection is made to exactly what was looked at here, so a name
    that changes its mind in between changes nothing."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise PrivateAddressError(host)
        return public

    async def close(self) -> None:
        await self._inner.close()
