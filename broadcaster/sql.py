"""Statements kept in `.sql` files, one file per context, each under a line `-- name: …`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def statements(package: str, filename: str) -> Mapping[str, str]:
    """The named statements of `filename` in `package`; comments above a statement stay with it."""
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    pieces = _NAME.split(text)
    return {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
