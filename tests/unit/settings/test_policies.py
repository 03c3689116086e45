"""Each colour has a policy; daohu.toml may replace its household steps, its loudspeakers, its escalation."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster.alerts.policy import EscalationAction
from broadcaster.errors import SettingsError
from broadcaster.ports import Medium
from broadcaster.settings import Settings, settings_from
from broadcaster.settings.policies import COLOURS

DISTRICT = {"code": "330212", "name": "鄞州区"}


def settings(**red: Any) -> Settings:
    return settings_from({"district": DISTRICT, "policies": {"red": red}})


def test_red_goes_out_on_wechat_and_sms_at_once_and_calls_after_a_minute() -> None:
    first, second, *_ = settings().policy("red").households
    assert (set(first.channels), first.wait) == ({Medium.WECHAT, Medium.SMS}, 60)
    assert second.channels == (Medium.VOICE,)


def test_blue_is_gentler_than_red() -> None:
    policies = settings().policies
    assert Medium.VOICE not in {channel for step in policies["blue"].households for channel in step.channels}
    assert not policies["blue"].loudspeakers
    assert policies["red"].units[1].after < policies["blue"].units[1].after


def test_every_colour_escalates_to_its_end() -> None:
    for colour in COLOURS:
        actions = [step.action for step in settings().policy(colour).units]
        assert actions[0] is EscalationAction.NOTIFY_PRIMARY
        assert actions[-1] is EscalationAction.DOOR_TASKS
        assert settings().policy(colour).units[0].after == 0


def test_what_is_not_given_stays() -> None:
    changed = settings(households=[{"channels": ["sms"], "wait": 30}])
    assert changed.policy("red").households[0].channels == (Medium.SMS,)
    assert changed.policy("red").units == settings().policy("red").units
    assert changed.policy("orange") == settings().policy("orange")


def test_an_escalation_can_be_written() -> None:
    units = [{"after": 0, "action": "notify_primary", "channels": ["sms"]}, {"after": 60, "action": "door_tasks"}]
    written = settings(units=units, loudspeakers=False, unit_roles=["village_head", "grid_leader"]).policy("red")
    assert written.unit_roles == ("village_head", "grid_leader")
    assert [step.action for step in written.units] == [EscalationAction.NOTIFY_PRIMARY, EscalationAction.DOOR_TASKS]
    assert not written.loudspeakers


def test_a_step_can_be_repeated() -> None:
    step = {"after": 60, "action": "notify_primary", "channels": ["voice"], "times": 3, "every": 90}
    written = settings(units=[step, {"after": 30, "action": "duty_desk"}]).policy("red")
    assert [(rung.wait, rung.step.action.value, rung.again) for rung in written.rungs] == [
        (60, "notify_primary", False),
        (90, "notify_primary", True),
        (90, "notify_primary", True),
        (30, "duty_desk", False),
    ]


@pytest.mark.parametrize(
    ("red", "problem"),
    [
        ({"households": []}, "至少要有一步"),
        ({"households": [{"channels": [], "wait": 1}]}, "至少要有一个渠道"),
        ({"households": [{"channels": ["pigeon"], "wait": 1}]}, "policies.red.households.0.channels"),
        ({"households": [{"channels": ["loudspeaker"], "wait": 1}]}, "sms、wechat、email、voice"),
        ({"households": [{"channels": ["sms"]}]}, "policies.red.households.0.wait：缺少"),
        ({"households": [{"channels": ["sms"], "wait": -1}]}, "0 到 86400"),
        ({"households": [{"channels": ["sms"], "wait": 1, "after": 2}]}, "没有这个设置"),
        ({"households": "sms"}, "应为一个列表"),
        ({"households": ["sms"]}, "应为一个表"),
        ({"units": [{"after": 1, "action": "shout"}]}, "notify_primary"),
        ({"units": [{"after": 1, "action": "notify_primary"}]}, "要写渠道"),
        ({"units": [{"after": 1, "action": "door_tasks", "channels": ["sms"]}]}, "要写渠道"),
        ({"units": [{"after": 1, "action": "notify_primary", "channels": ["voice"], "times": 0}]}, "1 到 10"),
        ({"units": [{"after": 1, "action": "notify_primary", "channels": ["voice"], "times": 3}]}, "每隔多少秒"),
        ({"units": [{"after": 1, "action": "duty_desk", "times": 2, "every": 60}]}, "可以重复"),
        ({"loudspeakers": 1}, "true 或 false"),
        ({"unit_roles": ["mayor"]}, "village_head"),
        ({"hosueholds": []}, "是不是 policies.red.households？"),
    ],
)
def test_a_wrong_policy_is_refused(red: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**red)
    assert problem in str(caught.value)


def test_a_colour_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="orange"):
        settings_from({"district": DISTRICT, "policies": {"oragne": {}}})
