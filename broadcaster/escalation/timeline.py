"""What a policy will do to a unit that stays silent, in words of time: for forms and for people who ask."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.ports import Medium

WHO = {
    EscalationAction.NOTIFY_PRIMARY: "主责任人",
    EscalationAction.NOTIFY_DEPUTY: "副责任人",
    EscalationAction.NOTIFY_SUPERIOR: "上一级责任人",
    EscalationAction.DUTY_DESK: "值班室",
    EscalationAction.DOOR_TASKS: "网格员",
}

_MEDIA = {
    Medium.SMS: "短信",
    Medium.WECHAT: "微信",
    Medium.VOICE: "电话",
    Medium.EMAIL: "邮件",
    Medium.LOUDSPEAKER: "大喇叭",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """`seconds` after issue, `action` happens on `channels`; `again` when the same people were asked before."""

    seconds: float
    action: EscalationAction
    channels: tuple[Medium, ...]
    again: bool = False

    @property
    def who(self) -> str:
        """Whom it falls to: 主责任人, 副责任人, …"""
        return WHO[self.action]

    @property
    def chinese(self) -> str:
        """`2分钟后仍未确认：电话再次通知主责任人`; the first one without the silence."""
        return f"{_after(self.seconds)}：{self._deed()}" if self.seconds else f"立即：{self._deed()}"

    def _deed(self) -> str:
        if self.action is EscalationAction.DUTY_DESK:
            return "提醒值班室人工电话联系"
        if self.action is EscalationAction.DOOR_TASKS:
            return "未触达的住户转网格员上门"
        media = "、".join(_MEDIA[channel] for channel in self.channels)
        return f"{media}{'再次' if self.again else ''}通知{self.who}"


def timeline(policy: Policy) -> tuple[Moment, ...]:
    """Every step of a unit that has people on every rung and stays silent, in order; after the last it is exhausted."""
    moments: list[Moment] = []
    asked: set[EscalationAction] = set()
    seconds = 0.0
    for rung in policy.rungs:
        seconds, step = seconds + rung.wait, rung.step
        moments.append(Moment(seconds, step.action, step.channels, step.action in asked))
        asked.add(step.action)
    return tuple(moments)


def _after(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "小时"), (minutes, "分钟"), (rest, "秒")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) + "后仍未确认"
