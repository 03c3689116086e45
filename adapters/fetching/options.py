"""The options that all sources of documents have among their own keys."""

from __future__ import annotations

from typing import Annotated, Self

import msgspec
from msgspec import Meta

from broadcaster.options import read
from broadcaster.phrase import phrase
from broadcaster.sources import SourceSettings


class FetchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`timeout` in seconds for one document; `ca_file`: a PEM file of authorities to trust besides the system's. A
    kind's own options add to these."""

    timeout: Annotated[float, Meta(ge=0.2, le=300)] = 30.0
    ca_file: str = ""

    @classmethod
    def read(cls, settings: SourceSettings) -> Self:
        """The checked options of a source; `SettingsError` names the key and what is allowed, never a secret."""
        return read(settings.options, cls, named(settings))


def named(settings: SourceSettings) -> str:
    """The source as errors about its settings name it."""
    return phrase("来源 %(name)s（%(kind)s）", name=repr(settings.name), kind=settings.kind)
