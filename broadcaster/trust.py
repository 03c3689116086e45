"""Whom a connection trusts: the system's authorities, and the operator's own."""

from __future__ import annotations

import ipaddress
import ssl

from broadcaster.errors import SettingsError


def tls_context(said: str, key: str, file: str) -> ssl.SSLContext:
    """A context that checks certificates and names; `file`, the value of option `key`, is a PEM file of authorities to
    trust besides the system's, "" for none. `SettingsError`, which begins with `said`, when it cannot be read."""
    context = ssl.create_default_context()
    if file:
        try:
            context.load_verify_locations(cafile=file)
        except OSError as problem:  # ssl.SSLError is one
            raise SettingsError(
                "%(said)s：%(key)s 文件 %(file)s 读不出证书。",
                remedy="应为 PEM 格式的证书文件路径。",
                said=said,
                key=key,
                file=file,
            ) from problem
    return context


def trusting(authority: str) -> ssl.SSLContext:
    """A context that believes the system's authorities, and those of `authority` (PEM, "" for none); `ssl.SSLError` for
    what is no PEM."""
    context = ssl.create_default_context()
    if authority:
        context.load_verify_locations(cadata=authority)
    return context


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: what is said to it does not travel."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
