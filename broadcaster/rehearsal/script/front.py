"""What every front's part of the script has."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from channels.line.settings import Address

Listen = Annotated[str, Meta(pattern=r"^(unix:.+|tcp:.+:\d{1,5})$")]
"""Where a front listens; port 0: any."""


class FrontScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One front: its keys in the script, who speaks to it, and how they find it."""

    drivers: ClassVar[tuple[str, ...]] = ()
    """The drivers that speak to it; none: the one of the front's own name."""

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:
        """The options of a gateway whose `driver` speaks to it; `at` is where it listens, None when it dials."""
        raise NotImplementedError


def host_and_port(at: Address | None) -> dict[str, object]:
    """Where a front listens, as most drivers are told."""
    if at is None:
        raise ValueError("This front listens nowhere.")
    return {"host": at.host, "port": at.port}


def endpoint(at: Address | None) -> str:
    """Where a front listens, as drivers are told that speak HTTP."""
    if at is None:
        raise ValueError("This front listens nowhere.")
    return f"http://{at.host}:{at.port}"
