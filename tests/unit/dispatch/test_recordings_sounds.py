"""Recordings are made ahead in the formats that the configured gateways want, and in no other."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from broadcaster.dispatch.recordings import sounds_of
from broadcaster.ports import Capabilities, GatewaySettings, Journal, Medium, Sound
from broadcaster.registry import GROUP, Registry


class Horn:
    """A plugin whose gateways want what their option says."""

    def __init__(self, channel: Medium) -> None:
        self.channel = channel
        self.name = "horn"

    def build(self, gateway: GatewaySettings, journal: Journal) -> Any:
        wanted = gateway.options.get("sound")
        self.capabilities = Capabilities(
            receipts=False, replies=False, window=1, batch_max=1, sound=Sound(str(wanted)) if wanted else None
        )
        return self


loudspeaker, voice, sms = Horn(Medium.LOUDSPEAKER), Horn(Medium.VOICE), Horn(Medium.SMS)


def gateway(channel: Medium, sound: str = "") -> GatewaySettings:
    return GatewaySettings(f"{channel}-{sound}", channel, "horn", rate=1, options={"sound": sound} if sound else {})


def test_each_format_once_for_each_medium_that_speaks() -> None:
    names = {"loudspeaker": "loudspeaker", "voice": "voice", "sms": "sms"}
    registry = Registry([EntryPoint(f"{name}.horn", f"{__name__}:{of}", GROUP) for name, of in names.items()])
    gateways = [
        gateway(Medium.LOUDSPEAKER),
        gateway(Medium.LOUDSPEAKER, "pcm"),
        gateway(Medium.LOUDSPEAKER, "pcm"),
        gateway(Medium.VOICE, "amr"),
        gateway(Medium.SMS, "mp3"),
    ]
    assert sounds_of(registry, gateways) == {Medium.LOUDSPEAKER: (None, Sound.PCM), Medium.VOICE: (Sound.AMR,)}
    assert sounds_of(registry, []) == {}
