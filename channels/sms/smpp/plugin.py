"""The entry point `sms.smpp`."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.sms.session.driver import CarrierDriver
from channels.sms.session.reports import Reports
from channels.sms.session.statuses import judge
from channels.sms.smpp.settings import SmppOptions
from channels.sms.smpp.wire import Smpp


@dataclass(frozen=True, slots=True)
class SmppPlugin:
    """Makes drivers; those of one gateway share what they remember of messages in parts."""

    channel: Medium = Medium.SMS
    name: str = "smpp"
    _reports: dict[str, Reports] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = SmppOptions.read(gateway)
        reports = self._reports.setdefault(gateway.name, Reports())
        return CarrierDriver(options.line, lambda: Smpp(options.account), judge, reports, journal)


plugin = SmppPlugin()
