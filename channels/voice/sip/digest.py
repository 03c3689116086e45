"""Digest authentication (RFC 2617, RFC 7616, RFC 8760): the answer to a challenge."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from channels.voice.sip.header import split

ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
STRONGEST = ("SHA-512-256", "SHA-256", "MD5")
_FIELD = re.compile(r"\s*([A-Za-z\-]{1,32})\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s,\"]*)\s*\Z")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks. `qop` "auth" or "", `stale`: the name and password were right, only the nonce is old."""

    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str
    stale: bool


def challenge(values: Iterable[str]) -> Challenge | None:
    """The strongest of the challenges that we can answer; None without one."""
    found = [read for value in values if (read := _read(value)) is not None]
    return min(found, key=lambda one: STRONGEST.index(one.algorithm), default=None)


def credentials(asked: Challenge, user: str, password: str, method: str, uri: str, *, cnonce: str = "") -> str:
    """The value of Authorization, or of Proxy-Authorization."""
    once = cnonce or secrets.token_hex(8)
    secret = _hash(asked.algorithm, f"{user}:{asked.realm}:{password}")
    what = _hash(asked.algorithm, f"{method}:{uri}")
    between = f"{asked.nonce}:00000001:{once}:auth" if asked.qop else asked.nonce
    fields = [
        f'username="{_quoted(user)}"',
        f'realm="{_quoted(asked.realm)}"',
        f'nonce="{_quoted(asked.nonce)}"',
        f'uri="{uri}"',
        f'response="{_hash(asked.algorithm, f"{secret}:{between}:{what}")}"',
        f"algorithm={asked.algorithm}",
    ]
    if asked.qop:
        fields += ["qop=auth", "nc=00000001", f'cnonce="{once}"']
    if asked.opaque:
        fields.append(f'opaque="{_quoted(asked.opaque)}"')
    return f"Digest {', '.join(fields)}"


def _read(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    fields: dict[str, str] = {}
    for one in split(rest):
        if (match := _FIELD.match(one)) is not None:
            text = match[2]
            fields[match[1].lower()] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    offered = [one.strip().lower() for one in fields.get("qop", "").split(",") if one.strip()]
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm not in ALGORITHMS or "nonce" not in fields or (offered and "auth" not in offered):
        return None
    stale = fields.get("stale", "").lower() == "true"
    qop = "auth" if offered else ""
    return Challenge(fields.get("realm", ""), fields["nonce"], algorithm, qop, fields.get("opaque", ""), stale)


def _hash(algorithm: str, text: str) -> str:
    return hashlib.new(ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
