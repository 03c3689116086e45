"""What a report shows, as tables: once, whatever the document's form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from broadcaster.progress import STATES
from broadcaster.report.account import Account, Coverage
from broadcaster.web.documents.phrases import Phrases
from broadcaster.web.language import CHINESE
from broadcaster.web.workbook import Value


@dataclass(frozen=True, slots=True)
class TableOf:
    """`code` names it in addresses; columns whose number is in `numbers` hold figures."""

    code: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    numbers: frozenset[int] = frozenset()


def summary(found: Account, phrases: Phrases) -> list[tuple[str, str]]:
    """The alert and its figures, as pairs."""
    say, record, homes, units = phrases.say, found.record, found.progress.households, found.progress.units
    share = f"{100 * homes.reached / homes.total:.1f}%" if homes.total else "–"
    return [
        (say("名称"), _headline(found, phrases)),
        (say("标识"), record.identifier),
        (say("灾种"), phrases.word(record.hazard, "hazard")),
        (say("级别"), phrases.word(record.colour, "colour") if record.colour else "–"),
        (say("性质"), phrases.word(record.status, "status")),
        (say("发布"), phrases.time(record.issued_at)),
        (say("有效至"), phrases.time(record.expires_at)),
        (say("应通知"), f"{homes.total:,}"),
        (say("已到户"), f"{homes.reached:,} ({share})"),
        (say("等待中"), f"{homes.pending:,}"),
        (say("未到户"), f"{homes.unreached:,}"),
        (say("责任单元"), f"{units.acknowledged:,} / {units.total:,}"),
        (say("升级过"), f"{units.escalated:,}"),
        (say("入户任务"), f"{found.progress.door_tasks.done:,} / {_doors(found):,}"),
        (say("重复发出"), f"{found.progress.duplicates:,}"),
        (say("截至"), phrases.time(found.as_of)),
    ]


def _headline(found: Account, phrases: Phrases) -> str:
    """As it was issued in the reader's language, if it was."""
    info = found.record.alert.info("zh-CN" if phrases.language == CHINESE else phrases.language)
    return (info.headline if info else "") or found.record.headline or found.record.identifier


def tables(found: Account, phrases: Phrases) -> list[TableOf]:
    """Every table, in order."""
    return [
        _stages(found, phrases),
        _channels(found, phrases),
        _units(found, phrases),
        _escalations(found, phrases),
        _coverage("towns", phrases.say("各镇街"), found.towns, phrases),
        _coverage("villages", phrases.say("各村（社区）"), found.villages, phrases),
        _course(found, phrases),
        _events(found, phrases),
    ]


def chart(found: Account, phrases: Phrases) -> dict[str, Any]:
    """The course as the chart's script wants it: seconds since issue, households reached, deliveries taken."""
    say, opened = phrases.say, found.record.issued_at or found.course.opened_at
    total = found.progress.households.total
    return {
        "title": say("已到户随时间"),
        "axis": say("发布后分钟"),
        "total": total,
        "points": [
            [round((point.at - opened).total_seconds() / 60, 2), reached, submitted]
            for point, reached, submitted in found.growth
        ],
        "reached": say("已到户"),
        "submitted": say("已提交"),
    }


def _doors(found: Account) -> int:
    doors = found.progress.door_tasks
    return doors.open + doors.done + doors.cancelled


def _stages(found: Account, phrases: Phrases) -> TableOf:
    say = phrases.say
    rows = tuple(
        (
            phrases.word(stage.code, "stage"),
            phrases.duration(stage.seconds),
            phrases.duration(stage.target),
            say("达到") if stage.met else say("还在时限内") if stage.in_time else say("未达到"),
        )
        for stage in found.stages
    )
    return TableOf("stages", say("各阶段用时与目标"), (say("阶段"), say("用时"), say("目标"), say("结果")), rows)


def _channels(found: Account, phrases: Phrases) -> TableOf:
    head = (phrases.say("渠道"), *(phrases.word(state, "delivery") for state in STATES))
    rows: list[tuple[Value, ...]] = [
        (phrases.word(channel, "channel"), *(counts[state] for state in STATES))
        for channel, counts in found.progress.channels.items()
    ]
    return TableOf("channels", phrases.say("各渠道"), head, tuple(rows), frozenset(range(1, len(head))))


def _units(found: Account, phrases: Phrases) -> TableOf:
    say = phrases.say
    head = (
        say("职责"),
        say("应确认"),
        say("已确认"),
        say("一半用时"),
        say("九成用时"),
        say("最后用时"),
        say("转移人数"),
    )
    rows = tuple(
        (
            phrases.word(one.role, "role"),
            one.units,
            one.acknowledged,
            phrases.duration(one.half),
            phrases.duration(one.most),
            phrases.duration(one.last),
            one.moved,
        )
        for one in found.units
    )
    return TableOf("units", say("责任单元"), head, rows, frozenset(range(1, 7)))


def _escalations(found: Account, phrases: Phrases) -> TableOf:
    say = phrases.say
    head = (say("步骤"), say("做了什么"), say("单元"), say("人或户"), say("最早"), say("最近"))
    rows = tuple(
        (
            one.step,
            phrases.word(one.action, "escalation"),
            one.units,
            one.asked,
            phrases.time(one.first_at),
            phrases.time(one.last_at),
        )
        for one in found.escalations
    )
    return TableOf("escalations", say("升级"), head, rows, frozenset({0, 2, 3}))


def _coverage(code: str, title: str, places: Iterable[Coverage], phrases: Phrases) -> TableOf:
    say = phrases.say
    head = (say("地区"), say("代码"), say("应通知"), say("已到户"), say("等待中"), say("未到户"), say("比例"))
    rows = tuple(
        (
            one.name or one.region,
            one.region,
            one.households.total,
            one.households.reached,
            one.households.pending,
            one.households.unreached,
            f"{100 * one.share:.1f}%",
        )
        for one in places
    )
    return TableOf(code, title, head, rows, frozenset(range(2, 7)))


def _course(found: Account, phrases: Phrases) -> TableOf:
    say = phrases.say
    head = (say("从何时起"), say("已提交"), say("已送达"), say("失败"), say("新到户"), say("累计到户"))
    rows = tuple(
        (phrases.time(point.at), point.submitted, point.delivered, point.failed, point.reached, reached)
        for point, reached, _ in found.growth
    )
    return TableOf("course", say("随时间"), head, rows, frozenset(range(1, 6)))


_OTHERS = {"help": "求助", "silent": "大喇叭没有播出，住户改用下一个渠道"}


def _events(found: Account, phrases: Phrases) -> TableOf:
    say = phrases.say
    kinds = {"audit": "deed", "escalation": "escalated", "run": "closed", "recall": "recall"}
    rows = tuple(
        (
            phrases.time(one.at),
            phrases.word(one.what, kinds[one.kind]) if one.kind in kinds else say(_OTHERS[one.kind]),
            one.n,
            one.who,
        )
        for one in found.events
    )
    return TableOf(
        "events", say("时间线"), (say("时间"), say("做了什么"), say("次数"), say("谁")), rows, frozenset({2})
    )
