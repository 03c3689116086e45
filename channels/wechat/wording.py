"""What a platform's errcode means, in words that may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from channels.redaction import redacted

_IDENTIFIER = re.compile(r"[A-Za-z0-9_@-]{16,}")


def worded(errcode: int, errmsg: str, meanings: Mapping[int, str]) -> str:
    """The code and its meaning; of a code that is not in `meanings` the platform's own words, without identifiers."""
    meaning = meanings.get(errcode) or _IDENTIFIER.sub("***", redacted(errmsg))
    return f"{errcode} {meaning}".strip()
