"""The carriers' fronts in the script."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from broadcaster.rehearsal.script.front import FrontScript, Listen, host_and_port
from channels.line.settings import Address

USER, SOURCE = "daohu", "10690001"
"""The account and the number that gateways have, unless others are given."""


class CarrierFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gateway for short messages listens at `listen` (port 0: any) and speaks its protocol as carriers do.

    `window`: receipts and replies that it sends on a connection before the client has answered the first of them;
    `heartbeat`: seconds of silence after which it asks for a sign of life, three times.
    """

    listen: Listen = "tcp:127.0.0.1:0"
    window: Annotated[int, Meta(ge=1, le=100_000)] = 16
    heartbeat: Annotated[float, Meta(gt=0, le=3600)] = 180.0

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (whatever the protocol)
        return {**host_and_port(at), "user": USER, "password": "any", "source": SOURCE}
