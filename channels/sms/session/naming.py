"""Ids for replies of protocols that give them none: what comes again is the same, as far as that can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from broadcaster.recent import Recent

REPEATED = timedelta(minutes=1)
"""Within this time after a reply was acknowledged the same words are taken for the same: the acknowledgement may have
been lost. Later somebody has written them again, perhaps about another alert; none of those may be lost."""

UNACKNOWLEDGED = timedelta(hours=1)
"""For this long the same words are certainly the same as those that could not be acknowledged yet."""

MOST = 10_000

Words = tuple[str, str]
"""Address and whole text."""


@dataclass(slots=True)
class _Known:
    name: str
    since: datetime
    kept: datetime | None = None

    def covers(self, now: datetime) -> bool:
        return now - self.since < UNACKNOWLEDGED if self.kept is None else now - self.kept < REPEATED


class Names:
    """The last replies of one account. Another process that gets the same words in the same minute names them alike."""

    def __init__(self) -> None:
        self._known: Recent[Words, _Known] = Recent(MOST)

    def name(self, address: str, text: str, now: datetime) -> str:
        """The id of a reply that has come now."""
        known = self._known.get((address, text))
        if known is None or not known.covers(now):
            minute = int(now.timestamp()) // 60
            name = sha256(f"{minute} {address} {text}".encode(errors="surrogatepass")).hexdigest()[:24]
            known = self._known[address, text] = _Known(name, now)
        return known.name

    def kept(self, address: str, text: str, now: datetime) -> None:
        """That reply is stored and acknowledged."""
        known = self._known.get((address, text))
        if known is not None:
            known.kept = now
