"""How a script measures: shares are 0 to 1, times are seconds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Weights = dict[str, Annotated[float, Meta(ge=0)]]
Shares = dict[str, Share]


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lognormal wait: `median` seconds, `spread` its sigma (0 = always the median), `most` the longest."""

    median: Seconds = 0.0
    spread: Annotated[float, Meta(ge=0, le=5)] = 0.0
    most: Seconds = 3600.0
