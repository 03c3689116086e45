"""The platform above as a source: what it orders comes to the door of an `ebd` gateway and is handed on from there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from adapters.ebd.reading import alert_of, read
from adapters.fetching.options import named
from broadcaster.errors import InputError, SettingsError
from broadcaster.options import read as options_of
from broadcaster.sources import (
    Heard,
    Judged,
    Memory,
    Shelf,
    Signature,
    SignaturePolicy,
    SourceSettings,
    Verdict,
    Visit,
)


class EbdSourceOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`gateway`: the name of the gateway to whose door the platform above comes. Its `verify` and `peer_keys` say whose
    signature is good."""

    gateway: Annotated[str, msgspec.Meta(min_length=1, description="上级平台所连网关的名称")]


class EbdSource:
    """One platform above."""

    def __init__(self, settings: SourceSettings) -> None:
        options = options_of(settings.options, EbdSourceOptions, named(settings), "gateway")
        if settings.address or settings.answer_to or settings.signature is not SignaturePolicy.IGNORE:
            raise SettingsError(
                f"来源 {settings.name!r}（ebd）：不用写 address、answer_to 和 signature。",
                remedy="消息由网关接收，签名按网关的 verify 验证，播发状态由网关告知。",
            )
        self.gateway = options.gateway

    async def visit(self, shelf: Shelf, memory: Memory) -> Visit:  # noqa: ARG002 - it comes by itself
        """There is nothing to fetch."""
        return Heard(memory)

    def messages(self, document: bytes) -> Sequence[bytes]:
        """The document itself, if it is an EBM."""
        alert_of(read(document))
        return [document]

    def judge(self, document: bytes, now: datetime) -> Judged:  # noqa: ARG002 - nothing here depends on the time
        """What an EBM says; its signature was looked at where it came in."""
        try:
            return Judged(Verdict.ACCEPTED, (), alert_of(read(document)), Signature.NONE)
        except InputError as fault:
            return Judged(Verdict.REFUSED, (fault.what,), None)

    async def close(self) -> None:
        """Nothing is open."""


class EbdSourcePlugin:
    """What the entry point leads to."""

    kind = "ebd"

    def build(self, settings: SourceSettings) -> EbdSource:
        """As `SourcePlugin.build`."""
        return EbdSource(settings)


plugin = EbdSourcePlugin()
