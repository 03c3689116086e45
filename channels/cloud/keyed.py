"""What accounts at cloud providers are alike in whose requests are signed with a key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from broadcaster.errors import UnavailableError
from broadcaster.ports import Envelope
from channels.http.provider import Call, singly


class Keyed:
    """A part of a `Provider`: the key is for good, and each message has a request of its own, because every household's
    is its own. `name` is what the provider is called in what is said to operators."""

    name: ClassVar[str]

    async def renew(self, call: Call) -> None:  # noqa: ARG002 - there is nothing to ask for
        raise UnavailableError(f"{self.name}：密钥不再有效。", remedy="请在控制台核对密钥。")

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        return singly(envelopes)
