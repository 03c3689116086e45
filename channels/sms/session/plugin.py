"""What a carrier protocol's entry point names."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.sms.session.driver import CarrierDriver
from channels.sms.session.options import CarrierOptions
from channels.sms.session.reports import Reports
from channels.sms.session.statuses import judge


@dataclass(frozen=True, slots=True)
class CarrierPlugin:
    """Makes drivers; those of one gateway share what they remember of messages in parts."""

    name: str
    options: type[CarrierOptions]
    channel: Medium = Medium.SMS
    _reports: dict[str, Reports] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = self.options.read(gateway)
        reports = self._reports.setdefault(gateway.name, Reports())
        return CarrierDriver(options.line, options.dialect, judge, reports, journal)
