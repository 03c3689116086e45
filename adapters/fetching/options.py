"""The options that all sources of documents have among their own keys."""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.sources import SourceSettings

Options = TypeVar("Options", bound="FetchOptions")


class FetchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`timeout` in seconds for one document; `ca_file`: a PEM file of authorities to trust besides the system's. A
    kind's own options add to these."""

    timeout: Annotated[float, Meta(ge=0.2, le=300)] = 30.0
    ca_file: str = ""

    @classmethod
    def read(cls, settings: SourceSettings) -> Self:
        """The checked options of a source; `SettingsError` names the key and what is allowed, never a secret."""
        try:
            return msgspec.convert(dict(settings.options), cls, strict=False)
        except msgspec.ValidationError as problem:
            allowed = "、".join(cls.__struct_fields__)
            raise SettingsError(f"{named(settings)}：{problem}。", remedy=f"可用的键：{allowed}。") from problem


def named(settings: SourceSettings) -> str:
    """The source as errors about its settings name it."""
    return f"来源 {settings.name!r}（{settings.kind}）"
