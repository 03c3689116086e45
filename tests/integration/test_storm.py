"""A storm over a small district, and nobody lifts a hand: from the first reading to the doors and the all-clear."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from broadcaster.cli import storm as words
from broadcaster.cli.serving import serve_web
from broadcaster.demo import play, storm
from broadcaster.demo.chronicle import Chronicle, chronicle
from broadcaster.progress import Progress
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.storm.river import REACHES
from broadcaster.rehearsal.storm.storm import PUBLISHING
from broadcaster.triggers.acting import ACCOUNT
from tests.harness.ports import free_port

HOUR = 3.0


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storm")


async def test_instruments_raise_and_end_the_alarm_and_every_household_is_accounted_for(short: Path) -> None:
    port = free_port()
    acts: list[str] = []

    def show(act: str, _: Progress | None) -> None:
        if act not in acts:
            acts.append(act)

    async with play.set_stage(
        short,
        households=400,
        seed=3,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        progress=lambda *_: None,
        serve=serve_web,
        hour=HOUR,
    ) as demo:
        played = await storm.perform(demo, HOUR, show)
        story = await chronicle(demo, played)
        report = await demo.report()

    assert story.broken == ()
    _the_alarm_is_the_rules_own(story)
    _every_home_is_accounted_for(story)
    _carriers_had_it_in_order(story, report)
    _instruments_were_heard(story, report)
    _the_story_is_told(story)


def _the_alarm_is_the_rules_own(story: Chronicle) -> None:
    assert {one.record.created_by for one in story.sent} == {ACCOUNT}
    assert {one.record.status for one in story.sent} == {"Exercise"}
    for hazard, deed in (("flash_flood", "issue"), ("flood", "hold")):
        lineage = [one.record for one in story.sent if one.record.hazard == hazard]
        assert [one.msg_type for one in lineage] in (["Alert", "Cancel"], ["Alert", "Update", "Cancel"])
        assert {one.lineage for one in lineage} == {lineage[0].identifier}
        assert all(after.predecessor_id == before.id for before, after in pairwise(lineage))
        events = [step.event for step in story.steps if step.event.alert_id in {one.id for one in lineage}]
        assert {event.deed for event in events} == {deed}
        assert {event.state for event in events} <= {"issued", "over"}
        for event in events:
            assert any("m（≥" in why.chinese or "都不满足" in why.chinese for why in event.said)
    flood = [one.record for one in story.sent if one.record.hazard == "flood"]
    assert flood[-2].colour == "red", "the river rose over its guarantee level"
    for step in story.steps:
        record = next((one.record for one in story.sent if one.record.id == step.event.alert_id), None)
        if step.event.due_at is not None and record is not None and record.issued_at is not None:
            assert record.issued_at >= step.event.due_at, "not before the time for a veto was over"


def _every_home_is_accounted_for(story: Chronicle) -> None:
    for sent in story.sent:
        one = sent.accounting
        assert one.conserved
        assert one.households == one.reached_households + one.unreached_households + one.pending_households
        assert (one.lost, one.duplicates) == (0, 0)
        assert one.states["queued"] == one.states["unknown"] == 0
        assert one.door_tasks >= one.unreached_households
    warnings = [one.accounting for one in story.sent if one.record.msg_type != "Cancel"]
    assert sum(one.acknowledged_units for one in warnings) > 0
    assert sum(one.door_tasks for one in warnings) > 0


def _carriers_had_it_in_order(story: Chronicle, report: Report) -> None:
    assert story.overtakings == 0
    assert report.unnamed == 0
    assert {one.alert for one in report.taken} == {one.record.id for one in story.sent}
    got = {one.record.id: _addresses(report, one.record.id) for one in story.sent}
    for before, after in pairwise([one.record.id for one in story.sent if one.record.hazard == "flood"]):
        assert len(got[before] - got[after]) <= len(got[before]) // 20, "who was told of it was told how it went on"
    texts = {text for text in report.texts.values() if text}
    assert all("演练" in text or "DRILL" in text for text in texts)
    assert any("解除" in text for text in texts)


def _addresses(report: Report, alert: int) -> set[str]:
    """Whom carriers had a text message of an alert for."""
    return {one.address for one in report.taken if one.alert == alert and one.channel == "sms"}


def _instruments_were_heard(story: Chronicle, report: Report) -> None:
    seen = story.instruments
    assert seen.lost == 0
    assert set(seen.ways) == {"sl651", "mqtt", "api"}
    assert {one.station for one in PUBLISHING} <= {one.station for one in report.stored}
    assert seen.stored > 0.7 * seen.measured, "but for the last ones"
    assert {one.name for one in story.crossings} == {f"{reach.name}水文站" for reach in REACHES}
    assert [one.msg_type for one in story.heard] == ["Alert", "Update", "Update", "Update", "Cancel"]
    assert {one.identifier for one in story.heard} == {one.identifier for one in report.published}
    assert 0 < story.visits.unchanged < story.visits.all, "a visit without news costs no index"
    assert all(one.state in ("drafted", "waiting", "replaced") for one in story.heard), "it lies before an officer"
    for sent in story.sent:
        reaction = story.reaction(sent)
        if sent.record.msg_type == "Cancel":
            assert reaction is None
        else:
            assert reaction is not None
            assert reaction >= 0


def _the_story_is_told(story: Chronicle) -> None:
    told = words.content(story, HOUR)
    assert told["broken"] == []
    assert told["conserved"]
    lines = [line["words"] for line in told["timeline"]]
    for phrase in (
        "开始降雨",
        "超过警戒水位",
        "超过保证水位",
        "规则“前塘河洪水”触发",
        "红色",
        "收到鄞州区气象台",
        "第一条短信",
        "回落",
    ):
        assert any(phrase in line for line in lines), phrase
