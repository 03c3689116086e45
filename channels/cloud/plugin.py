"""What a cloud provider's entry point names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from broadcaster.ports import CallbackResult, Driver, GatewaySettings, Journal, Medium
from channels.cloud.options import TemplateOptions
from channels.http.callback import require_token
from channels.http.driver import HttpDriver
from channels.http.provider import Now, Provider, utc_now

Options = TypeVar("Options", bound=TemplateOptions)


@dataclass(frozen=True, slots=True)
class CloudPlugin(Generic[Options]):
    """Makes drivers, and reads what the provider says when it calls back: `reading` a body that came at a time."""

    name: str
    options: type[Options]
    provider: Callable[[Options, Journal, Now], Provider]
    reading: Callable[[bytes, datetime], CallbackResult]
    now: Now = utc_now
    channel: Medium = Medium.SMS

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = self.options.read(gateway)
        told = options.callback_token is not None
        provider = self.provider(options, journal, self.now)
        return HttpDriver(provider, options, options.trust(gateway), journal, receipts=told, replies=told)

    def parse(
        self,
        gateway: GatewaySettings,
        headers: Mapping[str, str],  # noqa: ARG002 - the token is in the address: these providers sign nothing
        query: Mapping[str, str],
        body: bytes,
    ) -> CallbackResult:
        """Status reports and replies; `UnauthenticatedError` without the gateway's token, `InputError` for nonsense."""
        require_token(query.get("token", ""), self.options.read(gateway).callback_token, "callback_token")
        return self.reading(body, self.now())
