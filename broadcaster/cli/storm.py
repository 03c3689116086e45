"""What `daohu demo --scenario typhoon` tells: the story as it happened, in words, and the accounts of each alert."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from broadcaster.cli.output import say
from broadcaster.web.pages.incoming_words import INCOMING_WORDS
from broadcaster.web.pages.station_words import STATION_WORDS

if TYPE_CHECKING:
    from broadcaster.demo.chronicle import Chronicle, Crossing, Sent, Step

_LIMITS = {"warning": "警戒水位", "guarantee": "保证水位"}
_WAYS = {"sl651": "水文站（SL 651）", "mqtt": "雨量站（MQTT）", "api": "雨量站（接口）"}


def tell(story: Chronicle, hour: float) -> None:
    """The whole story, line by line; what did not hold stands at the end."""
    say(f"台风过境（1 小时缩为 {hour:g} 秒）")
    for at, words in timeline(story):
        seconds = (at - story.began).total_seconds()
        say(f"  {seconds:6.1f} 秒  {_hours(seconds, hour)}  {words}")
    say("预警和对账")
    for sent in story.sent:
        _tell(story, sent)
    seen, visits = story.instruments, story.visits
    say(f"气象台订阅：查询 {visits.all} 次，其中 {visits.unchanged} 次没有新消息（304，不传正文）")
    say(
        f"报文：{'，'.join(f'{_WAYS[way]} {count}' for way, count in sorted(seen.ways.items()))}；"
        f"读数：测得 {seen.measured}，入库 {seen.stored}，重发后才确认的报文 {seen.repeated_reports}，"
        f"确认后丢失 {seen.lost}；次序颠倒：{story.overtakings}"
    )
    say("全部兑现。" if not story.broken else f"没有兑现：{'；'.join(story.broken)}")


def content(story: Chronicle, hour: float) -> dict[str, Any]:
    """The same as an object: the accounts of the last warning, and under `alerts` those of each."""
    warnings = [sent for sent in story.sent if sent.record.msg_type != "Cancel"]
    last = asdict(warnings[-1].accounting) if warnings else {}
    return {
        **last,
        "scenario": "typhoon",
        "seconds_per_hour": hour,
        "timeline": [
            {"at": at.isoformat(), "seconds": round((at - story.began).total_seconds(), 1), "words": words}
            for at, words in timeline(story)
        ],
        "rules": [_step(step) for step in story.steps],
        "alerts": [_alert(story, sent) for sent in story.sent],
        "bulletins": [_bulletin(story, place) for place in range(len(story.heard))],
        "visits": asdict(story.visits),
        "readings": asdict(story.instruments),
        "overtakings": story.overtakings,
        "broken": list(story.broken),
    }


def timeline(story: Chronicle) -> list[tuple[datetime, str]]:
    """Everything that happened, the earliest first."""
    found = [(story.began, "台风外围影响全区，开始降雨")]
    found += [(one.at, _crossed(one)) for one in story.crossings]
    out = {sent.record.id for sent in story.sent}
    found += [(step.event.at, decided(step, out)) for step in story.steps]
    found += [(one.received_at, _heard(story, place)) for place, one in enumerate(story.heard)]
    for sent in story.sent:
        found += _went_out(story, sent)
    return sorted(found, key=lambda one: one[0])


def _crossed(one: Crossing) -> str:
    turn = "超过" if one.rising else "退到"
    below = "" if one.rising else "以下"
    return f"{one.name}水位 {one.level:.2f} 米，{turn}{_LIMITS[one.limit]} {one.height:.2f} 米{below}"


def decided(step: Step, out: Collection[int]) -> str:
    """What a rule decided; `out` are the alerts that went out."""
    event = step.event
    deed = STATION_WORDS["rule_deed"][event.deed]
    if event.deed == "hold" and event.due_at is not None:
        deed = f"起草，{(event.due_at - event.at).total_seconds():.0f} 秒内无人否决即发出"
    reasons = "；".join(one.chinese for one in event.said)
    words = f"规则“{step.title}”{STATION_WORDS['rule_step'][event.step]}（{event.colour.chinese}色），{deed}：{reasons}"
    if event.deed == "hold" and event.state == "over" and step.event.alert_id not in out:
        words += "。倒计时未满，情况又有变化：没有发出，由下一步取代"
    return f"{words}。未能执行：{event.fault}" if event.fault else words


def _heard(story: Chronicle, place: int) -> str:
    one = story.heard[place]
    published = story.published.get(one.identifier)
    late = f"发布后 {(one.received_at - published).total_seconds():.0f} 秒" if published is not None else ""
    state = INCOMING_WORDS["incoming"][one.state]
    return f"收到{one.headline}（{late}，{state}{'：' + one.note if one.note else ''}）"


def _went_out(story: Chronicle, sent: Sent) -> Iterator[tuple[datetime, str]]:
    record, accounts = sent.record, sent.accounting
    if record.issued_at is not None:
        after = f"，接第 {record.predecessor_id} 号" if record.predecessor_id is not None else ""
        yield record.issued_at, f"第 {record.id} 号 {sent.name} 发出{after}：{accounts.households} 户"
    if sent.first_text is not None:
        reaction = story.reaction(sent)
        since = f"，距测到的读数 {reaction:.1f} 秒" if reaction is not None else ""
        yield sent.first_text, f"第 {record.id} 号的第一条短信已交运营商{since}"
    if sent.first_door is not None:
        yield sent.first_door, f"第 {record.id} 号联系不到的住户开始列入入户任务，先后共 {accounts.door_tasks} 户"


def _tell(story: Chronicle, sent: Sent) -> None:
    one, reaction = sent.accounting, story.reaction(sent)
    say(
        f"  第 {sent.record.id} 号 {sent.name}：住户 {one.households}，已到 {one.reached_households}，"
        f"未到 {one.unreached_households}；发送 {one.deliveries}，送达 {one.delivered}，失败 {one.failed}"
    )
    say(
        f"    责任单元 {one.units}：已确认 {one.acknowledged_units}，升级过 {one.escalated_units}，"
        f"无人确认 {one.exhausted_units}；入户任务先后 {one.door_tasks} 户；重复 {one.duplicates}，丢失 {one.lost}，"
        f"守恒：{'是' if one.conserved else '否'}"
    )
    if reaction is not None:
        say(f"    从读数到第一条短信 {reaction:.1f} 秒")


def _step(step: Step) -> dict[str, Any]:
    event = step.event
    return {
        "rule": event.rule,
        "step": event.step,
        "colour": event.colour.value,
        "deed": event.deed,
        "state": event.state,
        "alert": event.alert_id,
        "at": event.at.isoformat(),
        "read_at": step.due_to.isoformat() if step.due_to is not None else None,
        "said": [one.chinese for one in event.said],
        "fault": event.fault,
    }


def _alert(story: Chronicle, sent: Sent) -> dict[str, Any]:
    record = sent.record
    return {
        "id": record.id,
        "identifier": record.identifier,
        "lineage": record.lineage,
        "predecessor": record.predecessor_id,
        "name": sent.name,
        "msg_type": record.msg_type,
        "hazard": record.hazard,
        "colour": record.colour,
        "reading_to_first_text": story.reaction(sent),
        **asdict(sent.accounting),
    }


def _bulletin(story: Chronicle, place: int) -> dict[str, Any]:
    one = story.heard[place]
    published = story.published.get(one.identifier)
    return {
        "identifier": one.identifier,
        "msg_type": one.msg_type,
        "colour": one.colour,
        "headline": one.headline,
        "published": published.isoformat() if published is not None else None,
        "received": one.received_at.isoformat(),
        "state": one.state,
        "note": one.note,
    }


def _hours(seconds: float, hour: float) -> str:
    minutes = round(seconds / hour * 60)
    return f"第 {minutes // 60:2d} 时 {minutes % 60:02d} 分"
