"""What the entry point `voice.sip` names."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.voice.sip.driver import SipDriver
from channels.voice.sip.exchange import Exchange
from channels.voice.sip.settings import SipOptions


@dataclass(frozen=True, slots=True)
class SipPlugin:
    """Makes drivers; those of one gateway share what they know."""

    name: str = "sip"
    channel: Medium = Medium.VOICE
    _exchanges: dict[str, Exchange] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = SipOptions.read(gateway)
        exchange = self._exchanges.setdefault(gateway.name, Exchange())
        return SipDriver(options, options.where(options.trust(gateway)), exchange, journal)
