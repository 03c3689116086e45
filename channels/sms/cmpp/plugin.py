"""The entry point `sms.cmpp`."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.sms.cmpp.settings import CmppOptions
from channels.sms.cmpp.wire import Cmpp
from channels.sms.session.driver import CarrierDriver
from channels.sms.session.reports import Reports
from channels.sms.session.statuses import judge


@dataclass(frozen=True, slots=True)
class CmppPlugin:
    """Makes drivers; those of one gateway share what they remember of messages in parts."""

    channel: Medium = Medium.SMS
    name: str = "cmpp"
    _reports: dict[str, Reports] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = CmppOptions.read(gateway)
        reports = self._reports.setdefault(gateway.name, Reports())
        return CarrierDriver(options.line, lambda: Cmpp(options.account), judge, reports, journal)


plugin = CmppPlugin()
