"""Sessions of HTTP that keep out of private networks, bring no cookies and unpack nothing by themselves; and what their
faults mean."""

from __future__ import annotations

import ssl

import aiohttp

from adapters.fetching.door import PrivateAddressError, PublicResolver
from broadcaster.sources import Failed, Trouble

CONNECT = 8.0
"""Seconds for a connection with TLS."""

SUBSCRIBER_PERMIT = "确实如此时，请允许这个订阅者使用内网地址"
"""How a subscriber's private address is allowed."""


def session(trust: ssl.SSLContext, *, private: bool, limit: int = 8) -> aiohttp.ClientSession:
    """A session; `private`: it may connect to private addresses. Addresses that are written as such are for the caller
    to look at (`door.require_public`)."""
    resolver = None if private else PublicResolver()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, ssl=trust, resolver=resolver, use_dns_cache=False),
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


def classified(problem: Exception, permit: str) -> Failed:
    """What a fault of a connection means; addresses stay out of the words, they may hold a key. `permit` says how a
    private address is allowed."""
    kind = type(problem).__name__
    inner = getattr(problem, "os_error", None) or problem
    if isinstance(inner, PrivateAddressError):
        return Failed(Trouble.MISLED, f"地址在私有网络内；{permit}")
    if isinstance(problem, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
        return Failed(Trouble.TRUNCATED, f"答复没有发完连接就断了（{kind}）")
    if isinstance(problem, aiohttp.ClientSSLError | ssl.SSLError):
        return Failed(Trouble.INSECURE, f"证书或加密不对（{kind}）")
    if isinstance(problem, aiohttp.ClientResponseError):
        return Failed(Trouble.NONSENSE, f"答复不是 HTTP（{kind}）")
    if isinstance(problem, aiohttp.InvalidURL | ValueError):
        return Failed(Trouble.NONSENSE, f"地址不对（{kind}）")
    return Failed(Trouble.UNREACHABLE, f"连接不上（{kind}）")
