"""The demo's stage: how its gateways and people behave, and the settings of an office whose clock runs fast.

The policies are the usual ladders with minutes turned to seconds, so that silence and escalation can be watched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents, Script
from broadcaster.settings import Settings, settings_from

RATES = {
    Medium.SMS: (10_000, 2),
    Medium.WECHAT: (10_000, 2),
    Medium.EMAIL: (2_000, 1),
    Medium.VOICE: (4_000, 1),
    Medium.LOUDSPEAKER: (500, 1),
}
"""Messages per second and connections of each gateway."""


def script(seed: int) -> Script:
    """Carriers that lose and refuse a little, residents who sometimes answer, duty holders of whom some stay silent."""
    quick = Delay(median=0.3, spread=0.6, most=3.0)
    duty = Duty(silent=0.25, after=Delay(median=1.5, spread=0.6, most=8.0), ways={"reply": 1})
    residents = Residents(share=0.004, after=Delay(median=1.0, spread=0.6, most=6.0))
    return Script(
        seed=seed,
        sms=Behaviour(
            receipt=quick,
            loss=0.02,
            failures={"UNDELIV": 0.03, "EXPIRED": 0.02},
            duplicate=0.01,
            duty=duty,
            residents=residents,
        ),
        wechat=Behaviour(receipt=quick, failures={"failed: user block": 0.05}, duty=duty, residents=residents),
        email=Behaviour(receipt=quick, failures={"5.1.1 no such mailbox": 0.05}),
        voice=Behaviour(receipt=quick, failures={"no answer": 0.3}, duty=Duty(silent=0.5, after=quick)),
        loudspeaker=Behaviour(receipt=quick, failures={"amplifier fault": 0.02}),
    )


def settings(folder: Path, rehearsal: RehearsalProcess, *, port: int, public_url: str) -> Settings:
    """The settings of the demo's office."""
    quick_ladder = [
        {"after": 0, "action": "notify_primary", "channels": ["sms", "wechat"]},
        {"after": 6, "action": "notify_primary", "channels": ["voice"]},
        {"after": 6, "action": "notify_deputy", "channels": ["sms", "wechat", "voice"]},
        {"after": 6, "action": "notify_superior", "channels": ["sms", "voice"]},
        {"after": 6, "action": "duty_desk"},
        {"after": 2, "action": "door_tasks"},
    ]
    households = [
        {"channels": ["wechat", "sms"], "wait": 6},
        {"channels": ["voice"], "wait": 5},
        {"channels": ["email"], "wait": 4},
    ]
    policy = {"households": households, "loudspeakers": True, "units": quick_ladder}
    tables: dict[str, Any] = {
        "data": {"dir": str(folder / "data")},
        "district": {"code": DISTRICT_CODE, "name": DISTRICT_NAME},
        "web": {"port": port, "public_url": public_url},
        "worker": {"sweep": 0.5},
        "policies": dict.fromkeys(("red", "orange", "yellow", "blue"), policy),
        "gateways": [_table(gateway) for gateway in gateways(rehearsal)],
    }
    return settings_from(tables, folder=folder)


def gateways(rehearsal: RehearsalProcess) -> list[GatewaySettings]:
    """One gateway of the rehearsal on every channel."""
    return [rehearsal.gateway(medium, rate=rate, slots=slots) for medium, (rate, slots) in RATES.items()]


def _table(gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "name": gateway.name,
        "channel": gateway.channel.value,
        "driver": gateway.driver,
        "rate": gateway.rate,
        "slots": gateway.slots,
        "rehearsal": gateway.rehearsal,
        **gateway.options,
    }
