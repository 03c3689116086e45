"""How the platforms are asked: JSON by POST."""

from __future__ import annotations

import msgspec
from yarl import URL

from channels.http.exchange import Request

_HEADERS = {"Content-Type": "application/json"}


def posted(name: str, url: URL, content: object) -> Request:
    """A request with `content` in it; `name` as in `Request`. Secrets are texts that do not show themselves: written
    they are texts like any other."""
    return Request(name, url, _HEADERS, msgspec.json.encode(content, enc_hook=str))
