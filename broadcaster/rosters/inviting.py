"""Which gateways invite people to follow us: of those that do, one is asked for the QR codes of the villages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Invites, Journal
from broadcaster.registry import Registry
from broadcaster.rosters.invitations import Invitation, invitations


@dataclass(frozen=True, slots=True)
class Inviting:
    """What codes are made with; `journals` by gateway."""

    database: Database
    clock: Clock
    gateways: Sequence[GatewaySettings]
    registry: Registry
    journals: Mapping[str, Journal]

    def able(self) -> dict[str, tuple[GatewaySettings, Invites]]:
        """The gateways, none of a drill's, whose platforms make QR codes for following, by name."""
        plugins = (
            (gateway, self.registry.plugin(gateway.channel, gateway.driver))
            for gateway in self.gateways
            if not gateway.rehearsal
        )
        return {gateway.name: (gateway, plugin) for gateway, plugin in plugins if isinstance(plugin, Invites)}

    async def invitations(self, region: str, gateway: str = "") -> list[Invitation]:
        """The QR codes of the villages in `region` by `gateway`, "" for the only one whose platform makes any;
        `SettingsError` when there is no such gateway, else as `invitations.invitations`."""
        able = self.able()
        named = [name for name in able if gateway in ("", name)]
        if len(named) != 1:
            there = "、".join(able) or "无"
            raise SettingsError(
                f"没有名为 {gateway} 的公众号网关。" if gateway else "公众号网关不止一个，或一个也没有。",
                remedy=f'现有的公众号网关：{there}。请指定其中一个，或在设置里添加 driver = "official" 的网关。',
            )
        settings, plugin = able[named[0]]
        journal = self.journals[settings.name]
        return await invitations(self.database, self.clock, settings, plugin, journal, region)
