"""What a carrier protocol's entry point names."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from channels.sms.session.door import Door
from channels.sms.session.driver import CarrierDriver
from channels.sms.session.memory import Memory
from channels.sms.session.options import CarrierOptions
from channels.sms.session.statuses import judge


@dataclass(frozen=True, slots=True)
class CarrierPlugin:
    """Makes drivers; those of one gateway share what they remember, and where the gateway comes in."""

    name: str
    options: type[CarrierOptions]
    channel: Medium = Medium.SMS
    _memories: dict[str, Memory] = field(default_factory=dict)
    _doors: dict[tuple[str, CarrierOptions], Door] = field(default_factory=dict)

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        options = self.options.read(gateway)
        memory = self._memories.setdefault(gateway.name, Memory())
        return CarrierDriver(
            options.line, options.dialect, judge, memory, journal, self._door(gateway.name, options, memory)
        )

    def _door(self, gateway: str, options: CarrierOptions, memory: Memory) -> Door | None:
        threshold = options.threshold
        if threshold is None:
            return None
        key = (gateway, options)
        if key not in self._doors:
            self._doors[key] = Door(threshold, options.dialect, judge, memory)
        return self._doors[key]
