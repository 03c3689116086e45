"""The timeline says beforehand what will happen to a unit that stays silent."""

from __future__ import annotations

from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.escalation.timeline import timeline
from broadcaster.settings.policies import DEFAULT_POLICIES


def test_it_adds_up_the_waits_and_says_who_is_asked_how() -> None:
    moments = timeline(DEFAULT_POLICIES["red"])

    assert [(moment.seconds, moment.who) for moment in moments] == [
        (0, "主责任人"),
        (60, "主责任人"),
        (150, "主责任人"),
        (240, "主责任人"),
        (300, "副责任人"),
        (480, "上一级责任人"),
        (600, "值班室"),
        (660, "网格员"),
    ]
    assert [moment.chinese for moment in moments] == [
        "立即：短信、微信通知主责任人",
        "1分钟后仍未确认：电话再次通知主责任人",
        "2分钟30秒后仍未确认：电话再次通知主责任人",
        "4分钟后仍未确认：电话再次通知主责任人",
        "5分钟后仍未确认：短信、微信、电话通知副责任人",
        "8分钟后仍未确认：短信、电话通知上一级责任人",
        "10分钟后仍未确认：提醒值班室人工电话联系",
        "11分钟后仍未确认：未触达的住户转网格员上门",
    ]
    assert moments[0].action is EscalationAction.NOTIFY_PRIMARY


def test_a_policy_without_steps_has_no_timeline() -> None:
    assert timeline(Policy((), False, ())) == ()
