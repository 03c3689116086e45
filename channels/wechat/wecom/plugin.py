"""What the entry point names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadcaster.ports import CallbackResult, Driver, GatewaySettings, Journal, Medium
from channels.http.driver import HttpDriver
from channels.http.provider import Now, utc_now
from channels.wechat.callback.door import opened
from channels.wechat.wecom.callback import WecomCallback
from channels.wechat.wecom.provider import Wecom
from channels.wechat.wecom.settings import WecomOptions


@dataclass(frozen=True, slots=True)
class WecomPlugin:
    """`wechat.wecom`: builds drivers, and understands what the platform tells us."""

    name: str = "wecom"
    channel: Medium = Medium.WECHAT
    networks: tuple[str, ...] = ("wecom",)
    now: Now = utc_now

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; `SettingsError` when the options are wrong."""
        options = WecomOptions.read(gateway)
        told = options.token is not None
        return HttpDriver(Wecom(options), options, options.trust(gateway), journal, receipts=False, replies=told)

    def parse(
        self,
        gateway: GatewaySettings,
        headers: Mapping[str, str],  # noqa: ARG002 - everything is in the query
        query: Mapping[str, str],
        body: bytes,
    ) -> CallbackResult:
        """As `ParsesCallback.parse`."""
        return WecomCallback(opened(WecomOptions.read(gateway).door(self.now))).read(query, body)
