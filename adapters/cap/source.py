"""CAP as a source: Atom and RSS indexes, single messages, EDXL-DE envelopes, folders of files; `kind = "cap"`."""

from __future__ import annotations

from datetime import datetime

from adapters.cap.message import judge
from adapters.cap.trust import Anchors
from adapters.cap.unpacking import unpack
from adapters.fetching import Ask, DocumentSource, Unpacked
from adapters.fetching.options import FetchOptions, named
from broadcaster.sources import Judged, SourceSettings
from broadcaster.xml import Node


class CapDialect:
    """CAP 1.0 to 1.2 under one source's policy for signatures."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._anchors = Anchors.read(named(settings), settings.certificates)

    def ask(self, now: datetime) -> Ask:  # noqa: ARG002 - nothing in the request depends on the time
        """The index, or the message, at the configured address."""
        return Ask(self._settings.address)

    def unpack(self, document: bytes) -> Unpacked:
        """Messages and links of a message, an envelope or an index."""
        return unpack(document, _is_message)

    def judge(self, document: bytes, now: datetime) -> Judged:
        """Form, meaning, envelope and signature of one message."""
        return judge(document, self._settings.signature, self._anchors, now)


def _is_message(root: Node) -> bool:
    return root.name == "alert"


class CapPlugin:
    """What the entry point leads to."""

    kind = "cap"

    def build(self, settings: SourceSettings) -> DocumentSource:
        """A source; `SettingsError` for certificates that cannot be read and options that do not exist."""
        return DocumentSource(settings, FetchOptions.read(settings), CapDialect(settings))


plugin = CapPlugin()
