"""What the entry point names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.ports import CallbackResult, Driver, GatewaySettings, Journal, Medium
from channels.http.client import Client
from channels.http.driver import HttpDriver
from channels.http.provider import Now, utc_now
from channels.wechat.callback.door import opened
from channels.wechat.official.callback import OfficialCallback
from channels.wechat.official.invitation import invite
from channels.wechat.official.provider import Official
from channels.wechat.official.settings import OfficialOptions


@dataclass(frozen=True, slots=True)
class OfficialPlugin:
    """`wechat.official`: builds drivers, understands what the platform tells us, has QR codes made."""

    name: str = "official"
    channel: Medium = Medium.WECHAT
    networks: tuple[str, ...] = ("official",)
    now: Now = utc_now

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; `SettingsError` when the options are wrong."""
        options = OfficialOptions.read(gateway)
        told = options.token is not None
        return HttpDriver(
            Official(options, now=self.now), options, options.trust(gateway), journal, receipts=told, replies=told
        )

    def parse(
        self,
        gateway: GatewaySettings,
        headers: Mapping[str, str],  # noqa: ARG002 - everything is in the query
        query: Mapping[str, str],
        body: bytes,
    ) -> CallbackResult:
        """As `ParsesCallback.parse`."""
        options = OfficialOptions.read(gateway)
        threshold = opened(options.threshold(self.now))
        return OfficialCallback(opened(options.door(self.now)), threshold).read(query, body)

    async def invite(self, gateway: GatewaySettings, journal: Journal, scenes: Sequence[str]) -> Mapping[str, str]:
        """As `Invites.invite`."""
        options = OfficialOptions.read(gateway)
        client = Client(options, options.trust(gateway), journal)
        try:
            return await invite(options, client.call, scenes)
        finally:
            await client.drop()
