"""One request to a provider and its answer, as values, and the two ways of getting none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from yarl import URL

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be written. `name` is what the conversation log calls it: no secret, no personal data."""

    name: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"


class NonsenseError(ValueError):
    """An answer that is not what the provider's documents promise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `retry_after` in seconds, where the provider named a time."""

    status: int
    body: bytes
    retry_after: float | None = None

    def read(self, decoder: msgspec.json.Decoder[Shape]) -> Shape:
        """The body as JSON of the expected shape; NonsenseError for anything else."""
        try:
            return decoder.decode(self.body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            raise NonsenseError(f"HTTP {self.status}，内容不是所约定的 JSON") from problem


class NotWrittenError(Exception):
    """There was no connection: nothing of the request has left."""


class UnansweredError(Exception):
    """The request was written, at least in part, and there is no answer. `late`: the provider kept silent."""

    def __init__(self, why: str, *, late: bool) -> None:
        super().__init__(why)
        self.late = late
