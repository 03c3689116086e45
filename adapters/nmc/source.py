"""The list of current warnings on the National Meteorological Centre's site; `kind = "nmc"`.

It is no published interface: titles only, for the whole country. Good for hearing of a warning at all, not for its
words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from adapters.bulletins import Bulletin, BulletinDialect, BulletinOptions
from adapters.fetching import DocumentSource
from broadcaster.clock import BEIJING
from broadcaster.sources import SourceSettings

_IDENTIFIER = re.compile(r"(\d{6})\d{8}_\d{14}")
_FORMS = ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


class _Entry(msgspec.Struct, frozen=True):
    alertid: str
    issuetime: str
    title: str


class _Page(msgspec.Struct, frozen=True):
    entries: list[msgspec.Raw] = msgspec.field(name="list")


class _Data(msgspec.Struct, frozen=True):
    page: _Page


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


class NmcDialect(BulletinDialect):
    """The list; of an entry the area is in the first six digits of its identifier."""

    def entries(self, document: bytes) -> Sequence[bytes]:
        """The entries of a page of the list."""
        return [bytes(entry) for entry in msgspec.json.decode(document, type=_Answer).data.page.entries]

    def bulletin(self, entry: bytes) -> Bulletin:
        """One entry."""
        one = msgspec.json.decode(entry, type=_Entry)
        found = _IDENTIFIER.fullmatch(one.alertid)
        region = found.group(1) if found else ""
        return Bulletin("nmc", one.alertid, _time(one.issuetime), one.title, region=region, place=one.title[:100])


def _time(text: str) -> datetime:
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=BEIJING).astimezone(UTC)
        except ValueError:
            continue
    raise ValueError(f"issuetime：{text[:30]}")


class NmcPlugin:
    """What the entry point leads to."""

    kind = "nmc"

    def build(self, settings: SourceSettings) -> DocumentSource:
        """A source; `SettingsError` for options that do not exist."""
        return DocumentSource(settings, BulletinOptions.read(settings), NmcDialect(settings))


plugin = NmcPlugin()
