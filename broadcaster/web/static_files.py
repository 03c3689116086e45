"""Style sheets, scripts, pictures: with a mark of their content in the address, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

STATIC = Path(str(files("broadcaster.web"))) / "static"
MARK = "v"
_KEPT = "public, max-age=31536000, immutable"
_ASKED_FOR = "no-cache"


@cache
def asset(name: str) -> str:
    """The address of a file under `static/`, changing with its content. FileNotFoundError where there is none."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{MARK}={digest}"


def caching(*, marked: bool) -> str:
    """The Cache-Control of a file: kept for good under its mark, otherwise asked for again each time."""
    return _KEPT if marked else _ASKED_FOR
