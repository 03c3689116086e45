"""The rehearsal's script: how gateways and people behave. Shares are 0 to 1, times are seconds."""

from __future__ import annotations

from broadcaster.rehearsal.script.behaviour import ASKS, Behaviour, Duty, Faults, Residents, changed
from broadcaster.rehearsal.script.carrier import SOURCE, USER, CarrierFront
from broadcaster.rehearsal.script.ebd import (
    EBD_CLIENT,
    EBD_CLIENT_2018,
    EBD_CLIENT_KEY,
    EBD_CLIENT_PUBLIC,
    EBD_CLIENT_SERIAL,
    EBD_KEY,
    EBD_PLATFORM,
    EBD_PLATFORM_2018,
    EBD_PUBLIC,
    EBD_SERIAL,
    EbdFront,
)
from broadcaster.rehearsal.script.fronts import Fronts
from broadcaster.rehearsal.script.mail import SENDER, MailFront
from broadcaster.rehearsal.script.measures import Delay, Seconds, Share, Shares, Weights
from broadcaster.rehearsal.script.mqtt import MqttFront
from broadcaster.rehearsal.script.script import Account, Script, check_script, read_script
from broadcaster.rehearsal.script.sip import CALLER, SipFront
from broadcaster.rehearsal.script.terminals import TerminalsFront
from broadcaster.rehearsal.script.weather import WeatherFront
from broadcaster.rehearsal.script.wechat import (
    AES_KEY,
    AGENT,
    APPID,
    CORPID,
    FIELDS,
    SECRET,
    TEMPLATE,
    TEMPLATE_CONTENT,
    OfficialFront,
    PlatformFront,
    WecomFront,
)

__all__ = [
    "AES_KEY",
    "AGENT",
    "APPID",
    "ASKS",
    "CALLER",
    "CORPID",
    "EBD_CLIENT",
    "EBD_CLIENT_2018",
    "EBD_CLIENT_KEY",
    "EBD_CLIENT_PUBLIC",
    "EBD_CLIENT_SERIAL",
    "EBD_KEY",
    "EBD_PLATFORM",
    "EBD_PLATFORM_2018",
    "EBD_PUBLIC",
    "EBD_SERIAL",
    "FIELDS",
    "SECRET",
    "SENDER",
    "SOURCE",
    "TEMPLATE",
    "TEMPLATE_CONTENT",
    "USER",
    "Account",
    "Behaviour",
    "CarrierFront",
    "Delay",
    "Duty",
    "EbdFront",
    "Faults",
    "Fronts",
    "MailFront",
    "MqttFront",
    "OfficialFront",
    "PlatformFront",
    "Residents",
    "Script",
    "Seconds",
    "Share",
    "Shares",
    "SipFront",
    "TerminalsFront",
    "WeatherFront",
    "WecomFront",
    "Weights",
    "changed",
    "check_script",
    "read_script",
]
