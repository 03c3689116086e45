"""The head of an answer of HTTP or RTSP: status and headers, read within bounds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import NamedTuple

LONGEST = 16 * 1024
"""Octets of a head."""

_STATUS = re.compile(r"(?:HTTP|RTSP|ICY)(?:/\d\.\d)? (\d{3})(?: (.*))?")


class NonsenseError(ConnectionError):
    """What came is no answer."""


class Answer(NamedTuple):
    """Headers by their names in lower case; of several with one name, the texts are joined by line ends."""

    status: int
    reason: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """Octets of the body; `NonsenseError` when that cannot be told."""
        said = self.headers.get("content-length", "0").strip()
        if not said.isascii() or not said.isdigit() or len(said) > 9:
            raise NonsenseError("a body of no length")
        return int(said)


def parse(head: bytes) -> Answer:
    """The answer that a head (up to and with its empty line) says; `NonsenseError` when it is none."""
    lines = head.decode("latin-1").split("\r\n")
    found = _STATUS.fullmatch(lines[0])
    if found is None:
        raise NonsenseError("no status line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            headers[name] = f"{headers[name]}\n{value.strip()}" if name in headers else value.strip()
    return Answer(int(found[1]), (found[2] or "").strip(), headers)


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The octets of a head; raises `NonsenseError`, or what the connection failed of."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as problem:
        raise NonsenseError("a head without an end") from problem
    except asyncio.IncompleteReadError as problem:
        raise ConnectionResetError("closed before the answer") from problem
