"""Who plays which front: a line each, under the name that the script has for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadcaster.rehearsal.fronts import cmpp, ebd, mail, mqtt, official, sip, smpp, terminals, weather, wecom
from broadcaster.rehearsal.fronts.act import Act

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

Plays = Callable[["Stage", Any], Act]
"""Makes a front of a stage from the script's part for it."""

CAST: dict[str, Plays] = {
    "cmpp": cmpp.act,
    "smpp": smpp.act,
    "smtp": mail.act,
    "terminals": terminals.act,
    "official": official.act,
    "wecom": wecom.act,
    "ebd": ebd.act,
    "sip": sip.act,
    "mqtt": mqtt.act,
    "weather": weather.act,
}
