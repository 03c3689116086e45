"""A broker of MQTT in the script."""

from __future__ import annotations

from broadcaster.rehearsal.script.front import FrontScript, Listen
from channels.line.settings import Address


class MqttFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A broker that listens at `listen`; `user` and `password` are what clients must show, "" lets everybody in."""

    listen: Listen = "tcp:127.0.0.1:0"
    user: str = ""
    password: str = ""

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (nothing is sent there)
        raise ValueError("Nobody sends messages to people by a broker.")
