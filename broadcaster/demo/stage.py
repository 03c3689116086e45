"""The demo's stage: how its gateways and people behave, and the settings of an office whose clock runs fast.

The policies are the usual ladders with minutes turned to seconds, so that silence and escalation can be watched.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.demo.waters import AT_ONCE
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import (
    SENDER,
    Behaviour,
    CarrierFront,
    Delay,
    Duty,
    Fronts,
    MailFront,
    MqttFront,
    OfficialFront,
    Residents,
    Script,
    SipFront,
    TerminalsFront,
    WeatherFront,
    WecomFront,
)
from broadcaster.settings import Settings, settings_from

MAIL = "mail"
"""The gateway for mail; the mail server posts its delivery reports to its callback."""

WINDOW = 500
"""Messages, and receipts, in flight on a connection: these carriers take thousands a second, which the usual 16 would
keep from them."""

FOLLOWERS, MEMBERS = "followers", "members"
"""The gateways of the official account and of WeCom; the platforms call their callbacks."""

LINES = {
    Medium.VOICE: (4_000, 1),
}
"""Messages per second and connections of the gateways that speak the line."""

LINES_OF_CALLS = 40
"""Calls at a time over SIP: they take as long as the message does, however fast the office's clock runs. What does not
find a line there goes by the line that has no protocol."""


TERMINALS = "terminals"
"""The gateway that the loudspeakers dial in to."""


HYDROLOGY, GAUGES, OFFICE = "hydrology", "rain-gauges", "weather-office"
"""The door that river stations come to, the session with the broker of rain gauges, and the source that is the weather
office's feed."""


def script(
    seed: int,
    *,
    callbacks: str,
    token: str,
    terminals: Sequence[str],
    dial: str,
    weather: WeatherFront | None = None,
) -> Script:
    """Carriers that lose and refuse a little, residents who sometimes answer, duty holders of whom some stay silent,
    and loudspeakers with the codes `terminals` that dial in to `dial`, of which a few are off line."""
    quick = Delay(median=0.3, spread=0.6, most=3.0)
    duty = Duty(silent=0.25, after=Delay(median=1.5, spread=0.6, most=8.0), ways={"reply": 1})
    residents = Residents(share=0.004, after=Delay(median=1.0, spread=0.6, most=6.0))
    return Script(
        seed=seed,
        fronts=Fronts(
            cmpp=CarrierFront(window=WINDOW),
            smpp=CarrierFront(window=WINDOW),
            smtp=MailFront(reports=f"{callbacks}/{MAIL}", token=token),
            official=OfficialFront(call_back=f"{callbacks}/{FOLLOWERS}", menu=("收到", "求助")),
            wecom=WecomFront(call_back=f"{callbacks}/{MEMBERS}"),
            sip=SipFront(unanswered=0.2, hang_up=0.1, middle=0.7),
            terminals=TerminalsFront(dial=dial, codes=tuple(terminals), offline=0.02),
            mqtt=MqttFront(listen=weather.broker) if weather is not None else None,
            weather=weather,
        ),
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
        voice=Behaviour(receipt=quick, failures={"占线": 0.1, "无人接听": 0.1}, duty=Duty(silent=0.3)),
        loudspeaker=Behaviour(receipt=quick, failures={"amplifier fault": 0.02}),
    )


def weather(hour: float) -> WeatherFront:
    """A storm, `hour` seconds to its hour, whose stations now and then do not hear that they were confirmed, and whose
    rain gauges have a broker."""
    return WeatherFront(dial=f"tcp:{free_address()}", broker=f"tcp:{free_address()}", hour=hour, unheard=0.03)


def instruments(rehearsal: RehearsalProcess, weather: WeatherFront) -> dict[str, Any]:
    """The settings that let the weather's instruments in: the door for stations, the session with the gauges' broker,
    the office's feed, the hazards whose alerts a rule may send out at once."""
    stations = {
        "name": HYDROLOGY,
        "kind": "sl651",
        **_place(weather.dial),
        "transports": ["tcp"],
        "seconds": True,
    }
    topic = {
        "topic": "hydrology/rain/+",
        "station": "topic:2",
        "time": "json:time",
        "values": {"rain_total": "rain_total"},
    }
    gauges = {
        "name": GAUGES,
        "kind": "mqtt",
        **_place(weather.broker),
        "client_id": "daohu-demo",
        "topics": [topic],
    }
    source = {
        "name": OFFICE,
        "kind": "cap",
        "address": f"http://{str(rehearsal.fronts['weather']).removeprefix('tcp:')}/cap.atom",
        "interval": 5,
        "trust": "draft",
        "private": True,
    }
    return {"sensors": [stations, gauges], "sources": [source], "rules": {"issue": list(AT_ONCE)}}


def settings(
    folder: Path,
    rehearsal: RehearsalProcess,
    *,
    port: int,
    public_url: str,
    token: str,
    more: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of the demo's office; `token` is what the mail server shows with its reports, `more` are further
    sections."""
    quick_ladder = [
        {"after": 0, "action": "notify_primary", "channels": ["sms", "wechat"]},
        {"after": 6, "action": "notify_primary", "channels": ["voice"]},
        {"after": 6, "action": "notify_deputy", "channels": ["sms", "wechat", "voice"]},
        {"after": 6, "action": "notify_superior", "channels": ["sms", "voice"]},
        {"after": 6, "action": "duty_desk"},
        {"after": 2, "action": "door_tasks"},
    ]
    households = [
        {"channels": ["wechat", "sms", "email"], "wait": 6},
        {"channels": ["voice"], "wait": 5},
    ]
    policy = {"households": households, "loudspeakers": True, "units": quick_ladder}
    tables: dict[str, Any] = {
        "data": {"dir": str(folder / "data")},
        "district": {"code": DISTRICT_CODE, "name": DISTRICT_NAME},
        "web": {"port": port, "public_url": public_url},
        "worker": {"sweep": 0.5},
        "policies": dict.fromkeys(("red", "orange", "yellow", "blue"), policy),
        "gateways": [_table(gateway) for gateway in gateways(rehearsal, token)],
        **(more or {}),
    }
    return settings_from(tables, folder=folder)


def gateways(rehearsal: RehearsalProcess, token: str) -> list[GatewaySettings]:
    """Short messages by CMPP and by SMPP, which share them; WeChat by the official account and by WeCom, to each its
    people; mail by SMTP; loudspeakers by GD/J 089; calls over a SIP trunk as far as its lines go, and whatever is left
    by the line."""
    carriers = [
        rehearsal.gateway(Medium.SMS, rate=5_000, slots=2, name=name, driver=driver, user=name, window=WINDOW, **own)
        for name, driver, own in (("mobile", "cmpp", {"version": "3.0"}), ("others", "smpp", {}))
    ]
    mail = rehearsal.gateway(
        Medium.EMAIL, rate=2_000, slots=4, name=MAIL, driver="smtp", user=MAIL, password="any",  # noqa: S106
        return_path=SENDER, bounce_token=token,
    )  # fmt: skip
    sound = free_address()
    speakers = rehearsal.gateway(
        Medium.LOUDSPEAKER, rate=500, name=TERMINALS, driver="terminal_tcp",
        audio_listen=sound, audio_url=f"http://{sound}",
    )  # fmt: skip
    platforms = [
        rehearsal.gateway(Medium.WECHAT, rate=rate, slots=slots, name=name, driver=driver)
        for name, driver, rate, slots in ((FOLLOWERS, "official", 2_000, 2), (MEMBERS, "wecom", 500, 1))
    ]
    calls = rehearsal.gateway(
        Medium.VOICE,
        rate=20,
        name="calls",
        driver="sip",
        lines=LINES_OF_CALLS,
        repeats=1,
        ring_timeout=3.0,
        farewell=2.0,
    )
    return [
        *carriers,
        *platforms,
        mail,
        calls,
        speakers,
        *(rehearsal.gateway(medium, rate=rate, slots=n) for medium, (rate, n) in LINES.items()),
    ]


def free_address() -> str:
    """An address of this machine with a port that was free a moment ago."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{line.getsockname()[1]}"


def _place(address: str) -> dict[str, object]:
    """Host and port of `tcp:host:port`."""
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return {"host": host, "port": int(port)}


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
