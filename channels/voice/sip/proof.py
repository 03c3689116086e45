"""Showing who we are when we are asked: for one request, and what follows of it."""

from __future__ import annotations

from channels.voice.sip.digest import challenge, credentials
from channels.voice.sip.message import Header, Response


class Proof:
    """A name and a password, "" where there is none. Shown once, and once more where only the nonce had grown old."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._shown = 0

    def header(self, response: Response, method: str, uri: str) -> Header | None:
        """What to say a request again with that was answered by 401 or 407; None when there is nothing to say, or it
        was not enough."""
        if response.status not in {401, 407} or not self._user:
            return None
        proxy = response.status == 407
        asked = challenge(response.all("proxy-authenticate" if proxy else "www-authenticate"))
        if asked is None or self._shown >= (2 if asked.stale else 1):
            return None
        self._shown += 1
        value = credentials(asked, self._user, self._password, method, uri)
        return ("proxy-authorization" if proxy else "authorization", value)
