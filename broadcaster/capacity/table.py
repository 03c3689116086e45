"""A forecast as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.table import Table

from broadcaster.capacity.duty import TOLD_BEFORE
from broadcaster.capacity.forecast import ChannelForecast, Forecast, Verdict
from broadcaster.capacity.gateways import Limit
from broadcaster.capacity.planner import Outlook
from broadcaster.capacity.words import CHANNELS, duration, number

Translate = Callable[[str], str]

LIMITS = {
    Limit.RATE: "网关速率",
    Limit.WINDOW: "同时等待应答的条数",
    Limit.MACHINE: "机器的发送能力",
    Limit.NO_GATEWAY: "没有网关",
}
VERDICTS = {
    Verdict.IN_TIME: "来得及",
    Verdict.AFTER_WAIT: "超过等待",
    Verdict.OVERLAPPING: "与下一步重叠",
    Verdict.AFTER_EXPIRY: "失效前发不完",
    Verdict.NEVER: "发不出去",
}
ACTIONS = {
    "notify_primary": "责任人",
    "notify_deputy": "副职",
    "notify_superior": "上一级",
    TOLD_BEFORE: "上一条问过的人",
}
COLUMNS = ("步骤", "渠道", "最多（条）", "其中立即", "每秒", "限制", "弱势户发完", "全部发完", "结论")


def lines(outlook: Outlook, translate: Translate) -> Iterator[str]:
    """What stands above the table."""
    forecast = outlook.forecast
    audience = forecast.audience
    purpose = translate("演练" if forecast.rehearsal else "真实发布")
    if outlook.alert_id is None:
        yield translate("%(count)s 个接收者，%(purpose)s") % {"count": number(audience.households), "purpose": purpose}
    else:
        yield f"{outlook.alert_id}  {outlook.headline}  {purpose}"
        yield translate(
            "住户 %(households)s（弱势 %(vulnerable)s，无联系方式 %(unreachable)s），"
            "大喇叭 %(terminals)s，责任单元 %(units)s"
        ) % {
            "households": number(audience.households),
            "vulnerable": number(audience.vulnerable),
            "unreachable": number(audience.unreachable),
            "terminals": number(audience.terminals),
            "units": number(audience.units),
        }
    if forecast.expires_in is not None:
        yield translate("发布后 %(expires)s 失效") % {"expires": duration(forecast.expires_in, translate)}
    if forecast.text is not None:
        text = forecast.text
        parts = str(text.parts_most) if text.parts_least == text.parts_most else f"{text.parts_least}–{text.parts_most}"
        yield translate("短信最长 %(units)s 字（%(alphabet)s），每条拆成 %(parts)s 条") % {
            "units": number(text.units),
            "alphabet": text.alphabet.value.upper(),
            "parts": parts,
        }
    machine = forecast.machine
    yield translate("按应答 %(answer)s 毫秒、每秒至多发 %(submitted)s 条计算（%(source)s）；以后各步按无人回应计") % {
        "answer": number(machine.answer * 1000),
        "submitted": number(machine.submitted_per_s),
        "source": machine.source,
    }


def table(forecast: Forecast, translate: Translate) -> Table:
    """One row for each step and channel; times since the issue."""
    made = Table(*(translate(column) for column in COLUMNS))
    for step in forecast.steps:
        name = translate("住户第 %(number)s 步") % {"number": number(step.number)}
        if step.begins:
            name = f"{name} {_from(step.begins, translate)}"
        for one in step.channels:
            made.add_row(name, *_row(one, translate))
    if forecast.loudspeakers is not None:
        made.add_row(translate("大喇叭"), *_row(forecast.loudspeakers, translate))
    for ask in forecast.asks:
        who = translate(ACTIONS[ask.action])
        for one in ask.channels:
            made.add_row(f"{who} {_from(ask.begins, translate)}" if ask.begins else who, *_row(one, translate))
    return made


def _from(begins: float, translate: Translate) -> str:
    return translate("（%(begins)s 起）") % {"begins": duration(begins, translate)}


def _row(one: ChannelForecast, translate: Translate) -> tuple[str, ...]:
    parts = f" ({number(one.parts)})" if one.parts and one.parts != one.messages else ""
    return (
        translate(CHANNELS[one.channel]),
        f"{number(one.messages)}{parts}",
        number(one.at_once),
        f"{one.per_second:,.1f}",
        translate(LIMITS[one.limit]),
        duration(one.vulnerable_by, translate) if one.vulnerable and one.vulnerable_by is not None else "–",
        duration(one.finishes, translate) if one.messages and one.finishes is not None else "–",
        translate(VERDICTS[one.verdict]),
    )
