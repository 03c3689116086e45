"""What other machines are told, and how. Both are made when the first of them is told something: most processes never
tell any, and what writes, signs and posts takes 20 MB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from broadcaster.outlets import Hook, NotTold, Outlet, OutletKind, Outlets, Parcel, Told
from broadcaster.settings import Settings

if TYPE_CHECKING:
    from broadcaster.alerts.alert import Alert
    from broadcaster.dispatch.documents import Write


def writing(settings: Settings) -> Write:
    """An alert as the settings want it written; `SettingsError` now when a key that signs cannot be used."""
    if settings.feeds.signing_key is not None or settings.feeds.signing_certificate is not None:
        from broadcaster.cli.formats import cap_format

        return cap_format(settings).write

    def write(alert: Alert) -> bytes:
        from adapters import cap

        return cap.write(alert)

    return write


class Later:
    """An outlet that is made when somebody is told by it."""

    def __init__(self, make: Callable[[], Outlet]) -> None:
        self._make = make
        self._outlet: Outlet | None = None

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:
        """As the outlet does."""
        if self._outlet is None:
            self._outlet = self._make()
        return await self._outlet.tell(hook, parcel, now)

    async def close(self) -> None:
        """Let go of connections."""
        if self._outlet is not None:
            await self._outlet.close()


def outlets() -> Outlets:
    """How subscribers are told: over HTTP, by brokers."""
    web = Later(_web)
    return Outlets({OutletKind.WEBHOOK: web, OutletKind.CAP: web, OutletKind.MQTT: Later(_broker)})


def _web() -> Outlet:
    from adapters.webhook import WebhookOutlet

    return WebhookOutlet()


def _broker() -> Outlet:
    from adapters.mqtt import MqttOutlet

    return MqttOutlet()
