"""The weather in the script: a storm, with whoever tells of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from broadcaster.rehearsal.script.front import FrontScript, Listen
from broadcaster.rehearsal.script.measures import Share
from channels.line.settings import Address


class WeatherFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storm, from when it is told to begin (`RehearsalClient.storm`): `hour` seconds are one of its hours. The
    weather office's CAP feed listens at `listen` (`/cap.atom`); river stations dial in to `dial`, where a centre of SL
    651 listens ("" = they do not); every second rain gauge publishes by MQTT to `broker` ("" = it posts with the
    others). They report every `period` seconds; `redial`: seconds until one that was cut off dials again, `patience`:
    seconds until what was not confirmed is said again, more of a centre that is slow. Shares, of SL 651: `unheard` of
    confirmations that a station does not get to hear, `cut` of reports at which its line breaks."""

    listen: Listen = "tcp:127.0.0.1:0"
    dial: Annotated[str, Meta(pattern=r"^(tcp:.+:\d{1,5})?$")] = ""
    broker: Annotated[str, Meta(pattern=r"^(tcp:.+:\d{1,5})?$")] = ""
    hour: Annotated[float, Meta(gt=0, le=3600)] = 6.0
    period: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    redial: Annotated[float, Meta(gt=0, le=3600)] = 0.5
    patience: Annotated[float, Meta(gt=0, le=3600)] = 3.0
    unheard: Share = 0.0
    cut: Share = 0.0

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (nothing is sent there)
        raise ValueError("Nobody sends messages to the weather.")
