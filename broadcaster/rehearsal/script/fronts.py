"""The fronts that a script may have: a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from broadcaster.rehearsal.script.carrier import CarrierFront
from broadcaster.rehearsal.script.ebd import EbdFront
from broadcaster.rehearsal.script.front import FrontScript
from broadcaster.rehearsal.script.mail import MailFront
from broadcaster.rehearsal.script.mqtt import MqttFront
from broadcaster.rehearsal.script.sip import SipFront
from broadcaster.rehearsal.script.terminals import TerminalsFront
from broadcaster.rehearsal.script.weather import WeatherFront
from broadcaster.rehearsal.script.wechat import OfficialFront, WecomFront
from channels.line.settings import Address


class Fronts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The protocols besides the line that the rehearsal speaks."""

    cmpp: CarrierFront | None = None
    smpp: CarrierFront | None = None
    smtp: MailFront | None = None
    terminals: TerminalsFront | None = None
    official: OfficialFront | None = None
    wecom: WecomFront | None = None
    ebd: EbdFront | None = None
    sip: SipFront | None = None
    mqtt: MqttFront | None = None
    weather: WeatherFront | None = None

    def given(self) -> Iterator[tuple[str, FrontScript]]:
        """The fronts that there are, by their names."""
        for name in self.__struct_fields__:
            front: FrontScript | None = getattr(self, name)
            if front is not None:
                yield name, front

    def gateway(self, driver: str, listening: Mapping[str, Address]) -> dict[str, object]:
        """The options of a gateway whose `driver` speaks to one of the fronts, which listen where `listening` says;
        ValueError when it speaks to none."""
        for name, front in self.given():
            if driver in (front.drivers or (name,)):
                return front.gateway(driver, listening.get(name))
        raise ValueError(f"No front of the script speaks to {driver}.")

    def staying(self, listening: Mapping[str, Address]) -> Fronts:
        """The same, listening where they were found to."""
        moved = {name: msgspec.structs.replace(getattr(self, name), listen=str(at)) for name, at in listening.items()}
        return msgspec.structs.replace(self, **moved)
