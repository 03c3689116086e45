"""Drivers are found by entry points; what is wrong with one is said by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import Driver, GatewaySettings, Journal, Medium
from broadcaster.registry import GROUP, Registry


@dataclass
class Pigeon:
    """A third party's plugin."""

    channel: Medium = Medium.SMS
    name: str = "pigeon"

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        raise SettingsError(f"Gateway {gateway.name!r} has no pigeons.")


pigeon = Pigeon()
no_plugin = object()


def entry(name: str, value: str = "") -> EntryPoint:
    return EntryPoint(name, value or f"{__name__}:pigeon", GROUP)


def test_the_built_in_rehearsal_drivers_are_installed() -> None:
    registry = Registry.installed()
    for channel in Medium:
        plugin = registry.plugin(channel, "rehearsal")
        assert (plugin.channel, plugin.name) == (channel, "rehearsal")
    assert registry.problems() == ()


def test_a_third_partys_driver_is_found_like_ours() -> None:
    plugin = Registry([entry("sms.pigeon")]).plugin(Medium.SMS, "pigeon")
    assert (plugin.channel, plugin.name) == (Medium.SMS, "pigeon")


def test_an_unknown_driver_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"sms.*cmpp.*pigeon"):
        Registry([entry("sms.pigeon"), entry("email.dove")]).plugin(Medium.SMS, "cmpp")


def test_two_of_a_name_are_refused_not_guessed() -> None:
    registry = Registry([entry("sms.pigeon"), entry("sms.pigeon", "elsewhere:pigeon")])
    with pytest.raises(SettingsError, match="不止一个"):
        registry.plugin(Medium.SMS, "pigeon")
    assert [problem.entry for problem in registry.problems()] == ["sms.pigeon"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_module_at_all:plugin", "不能载入"),
        (f"{__name__}:no_such_name", "不能载入"),
        (f"{__name__}:no_plugin", "不是驱动"),
    ],
)
def test_a_broken_driver_hurts_only_whoever_asks_for_it(value: str, said: str) -> None:
    registry = Registry([entry("email.broken", value), entry("sms.pigeon")])
    registry.plugin(Medium.SMS, "pigeon")
    with pytest.raises(SettingsError, match=said):
        registry.plugin(Medium.EMAIL, "broken")
    assert [problem.entry for problem in registry.problems()] == ["email.broken"]


def test_a_driver_that_calls_itself_otherwise_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"sms\.pigeon"):
        Registry([entry("sms.eagle")]).plugin(Medium.SMS, "eagle")


@pytest.mark.parametrize("name", ["pigeon", "post.pigeon", "", "sms"])
def test_an_entry_without_channel_and_driver_is_a_problem(name: str) -> None:
    (problem,) = Registry([entry(name)]).problems()
    assert problem.entry == name


def test_a_gateway_is_for_the_platform_of_its_driver_whatever_the_settings_say() -> None:
    wechat = [
        GatewaySettings(name, Medium.WECHAT, name, rate=1) for name in ("official", "wecom", "robot", "rehearsal")
    ]
    placed = Registry.installed().placed(wechat)
    assert [one.networks for one in placed] == [("official",), ("wecom",), ("group",), ()]
    sms = GatewaySettings("cmpp", Medium.SMS, "cmpp", rate=1, networks=("mobile",))
    assert Registry.installed().placed([sms]) == (sms,)


def test_gateways_are_checked_before_anything_is_sent() -> None:
    registry = Registry([entry("sms.pigeon")])
    gateway = GatewaySettings("roof", Medium.SMS, "pigeon", rate=1)
    with pytest.raises(SettingsError, match="roof"):
        registry.check([gateway])
    with pytest.raises(SettingsError, match="loft"):
        registry.check([GatewaySettings("loft", Medium.EMAIL, "pigeon", rate=1)])
