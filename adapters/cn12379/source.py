"""The national platform as a source: single messages, folders of files, indexes of them; `kind = "cn12379"`."""

from __future__ import annotations

from datetime import datetime

from adapters.cap.unpacking import unpack
from adapters.cn12379.read import NAMESPACE, read
from adapters.fetching import Ask, DocumentSource, Unpacked
from adapters.fetching.options import FetchOptions, named
from broadcaster.errors import InputError, SettingsError
from broadcaster.sources import Judged, SignaturePolicy, SourceSettings, Verdict
from broadcaster.xml import Node


class NationalDialect:
    """The messages of the 12379 platform. No signature is known for them."""

    def __init__(self, settings: SourceSettings) -> None:
        if settings.signature is not SignaturePolicy.IGNORE:
            raise SettingsError(f"{named(settings)}：12379 的消息没有签名。", remedy='请写 signature = "ignore"。')
        self._settings = settings

    def ask(self, now: datetime) -> Ask:  # noqa: ARG002 - nothing in the request depends on the time
        """What is at the configured address."""
        return Ask(self._settings.address)

    def unpack(self, document: bytes) -> Unpacked:
        """Messages and links of a message or an index."""
        return unpack(document, _is_message)

    def judge(self, document: bytes, now: datetime) -> Judged:  # noqa: ARG002 - nothing here depends on the time
        """Whether the message can be used, and why not."""
        try:
            alert = read(document)
        except InputError as fault:
            return Judged(Verdict.REFUSED, (fault.what,), None)
        return Judged(Verdict.ACCEPTED, (), alert)


def _is_message(root: Node) -> bool:
    return root.name == "alert" and (root.namespace == NAMESPACE or root.first("sendTime") is not None)


class NationalPlugin:
    """What the entry point leads to."""

    kind = "cn12379"

    def build(self, settings: SourceSettings) -> DocumentSource:
        """A source; `SettingsError` for options that do not exist."""
        return DocumentSource(settings, FetchOptions.read(settings), NationalDialect(settings))


plugin = NationalPlugin()
