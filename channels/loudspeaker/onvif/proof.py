"""Who we are, as RTSP asks for it: digests (RFC 2617, RFC 7616), or Basic where nothing better is asked for."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable

_CHALLENGE = re.compile(r'([A-Za-z0-9_-]{1,40})=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s,"]*))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


class Proof:
    """Answers one challenge, as often as the server takes that."""

    def __init__(self, challenges: str, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._digest: dict[str, str] | None = None
        self._basic = False
        self._count = 0
        for challenge in challenges.split("\n"):
            scheme, _, rest = challenge.strip().partition(" ")
            if scheme.lower() == "basic":
                self._basic = True
            elif scheme.lower() == "digest":
                said = {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE.findall(rest)}
                if said.get("algorithm", "MD5").upper() in _HASHES and (
                    self._digest is None or said.get("algorithm", "").upper() == "SHA-256"
                ):
                    self._digest = said

    @property
    def possible(self) -> bool:
        """Whether there is a name, and the challenge is one that we can answer."""
        return bool(self._user) and (self._digest is not None or self._basic)

    def header(self, method: str, url: str) -> str:
        """The value of Authorization for a request."""
        if self._digest is None:
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        said = self._digest
        algorithm = said.get("algorithm", "MD5").upper()
        hash_ = _HASHES[algorithm]
        realm, nonce = said.get("realm", ""), said.get("nonce", "")
        secret = hash_(f"{self._user}:{realm}:{self._password}".encode())
        asked = hash_(f"{method}:{url}".encode())
        given = {"username": self._user, "realm": realm, "nonce": nonce, "uri": url}
        rest = ""
        if "auth" in [one.strip() for one in said.get("qop", "").split(",")]:
            self._count += 1
            count, own = f"{self._count:08x}", secrets.token_hex(8)
            given["response"] = hash_(f"{secret}:{nonce}:{count}:{own}:auth:{asked}".encode())
            rest = f', qop=auth, nc={count}, cnonce="{own}"'
        else:
            given["response"] = hash_(f"{secret}:{nonce}:{asked}".encode())
        if "algorithm" in said:
            rest += f", algorithm={algorithm}"
        if "opaque" in said:
            given["opaque"] = said["opaque"]
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in given.items()) + rest
