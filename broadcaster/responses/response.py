"""A reply as it is kept, and the words for what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Intent(StrEnum):
    """What the reply wants, as far as we understand it."""

    ACKNOWLEDGE = "acknowledge"
    HELP = "help"
    NONE = "none"
    AMBIGUOUS = "ambiguous"


class Outcome(StrEnum):
    """What came of it."""

    SETTLED = "settled"
    REACHED = "reached"
    HELP_RAISED = "help_raised"
    DUPLICATE = "duplicate"
    LATE = "late"
    SEVERAL_ALERTS = "several_alerts"
    SEVERAL_UNITS = "several_units"
    UNKNOWN_CODE = "unknown_code"
    NOT_COMPETENT = "not_competent"
    NOTHING_OPEN = "nothing_open"
    TOO_EARLY = "too_early"
    UNKNOWN_SENDER = "unknown_sender"
    NOT_UNDERSTOOD = "not_understood"

    @property
    def chinese(self) -> str:
        """What a person reads beside the reply."""
        return _CHINESE[self]


_CHINESE = {
    Outcome.SETTLED: "已确认",
    Outcome.REACHED: "住户已知悉",
    Outcome.HELP_RAISED: "已登记求助",
    Outcome.DUPLICATE: "此前已有人确认",
    Outcome.LATE: "预警已结束，仅作记录",
    Outcome.SEVERAL_ALERTS: "有多条预警待确认，未说明是哪一条",
    Outcome.SEVERAL_UNITS: "辖区内有多个单位待确认，未说明是哪一个",
    Outcome.UNKNOWN_CODE: "没有这个编号的预警",
    Outcome.NOT_COMPETENT: "当前不在岗，不能代为确认",
    Outcome.NOTHING_OPEN: "没有待确认的预警",
    Outcome.TOO_EARLY: "早于这条预警送达，不计入",
    Outcome.UNKNOWN_SENDER: "号码不在名册中",
    Outcome.NOT_UNDERSTOOD: "未能识别，请人工查看",
}

LINK = "link"
"""The gateway and channel of answers given on the reply page."""


@dataclass(frozen=True, slots=True)
class Response:
    """A stored reply. `rehearsal`: whether it may settle a drill or a real alert; None where the message says.
    `received_at`: by the gateway's clock.

    `alert_id` and `delivery` name the message that it answers, where the medium knows (a link, a key during a call).
    """

    id: int
    gateway: str
    channel: str
    rehearsal: bool | None
    address: str
    text: str
    received_at: datetime
    alert_id: int | None
    delivery: int | None
