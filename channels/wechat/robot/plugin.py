"""What the entry point names."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.http.driver import HttpDriver
from channels.wechat.robot.pace import Monotonic, Pace
from channels.wechat.robot.provider import Robot
from channels.wechat.robot.settings import RobotOptions


@dataclass(frozen=True, slots=True)
class RobotPlugin:
    """`wechat.robot`: builds drivers; those of one gateway share what they remember of its groups."""

    name: str = "robot"
    channel: Medium = Medium.WECHAT
    networks: tuple[str, ...] = ("group",)
    monotonic: Monotonic = monotonic
    _paces: dict[str, Pace] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; `SettingsError` when the options are wrong."""
        options = RobotOptions.read(gateway)
        pace = self._paces.setdefault(gateway.name, Pace(self.monotonic))
        return HttpDriver(Robot(options, pace), options, options.trust(gateway), journal, receipts=False, replies=False)
