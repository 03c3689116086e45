"""What an entry point leads to: how drivers are made, and what a gateway's platform does besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from broadcaster.ports.callback import CallbackResult, OrderStanding
from broadcaster.ports.driver import Driver
from broadcaster.ports.gateway import GatewaySettings, Journal
from broadcaster.ports.message import Medium


class DriverPlugin(Protocol):
    """What an entry point in `broadcaster.channels` names: how to make a driver for a gateway."""

    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> Medium: ...

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        ...


@runtime_checkable
class OnPlatform(Protocol):
    """A plugin whose gateways are good for the addresses of certain `PLATFORMS` only, whatever the settings say."""

    networks: tuple[str, ...]


@runtime_checkable
class GoesByTime(Protocol):
    """A plugin whose drivers judge whether it is too late, or tell others the time."""

    def by(self, now: Callable[[], datetime]) -> DriverPlugin:
        """The same plugin by that clock, which is right whatever this machine's is."""
        ...


@runtime_checkable
class Invites(Protocol):
    """A plugin whose platform makes codes by which people begin to follow us (`Follow`)."""

    async def invite(self, gateway: GatewaySettings, journal: Journal, scenes: Sequence[str]) -> Mapping[str, str]:
        """By scene (1 to 64 characters) the text that its QR code holds. A code never ends, and the same scene is the
        same code. `UnavailableError` says why there is none."""
        ...


@runtime_checkable
class ParsesCallback(Protocol):
    """A plugin whose gateway calls us over HTTP (`/callbacks/{gateway}`)."""

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        """Receipts, replies and the answer the provider expects; `UnauthenticatedError` or `InputError` otherwise."""
        ...


@runtime_checkable
class BringsFiles(Protocol):
    """A `ParsesCallback` whose gateway brings more than some lines, or whose `parse` takes its time (signatures): it is
    called in a thread of its own, a few at a time."""

    def largest(self, gateway: GatewaySettings) -> int:
        """Octets of a call, at the most."""
        ...


@runtime_checkable
class TakesOrders(Protocol):
    """A plugin whose peer may be a platform above us that orders broadcasts and is told how they stand."""

    async def report(self, gateway: GatewaySettings, journal: Journal, standing: OrderStanding) -> None:
        """Tell it once; `UnavailableError` says why it does not know now."""
        ...
