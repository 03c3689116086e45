"""What becomes of a message: a draft, something to look at, a repetition, a successor of what we relayed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broadcaster.alerts.alert import Area, Circle, MsgType, NamedValue, Reference, Status
from broadcaster.intake import placing, settling
from broadcaster.intake.becoming import State
from broadcaster.intake.listing import Incoming
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.sources import Item, Verdict
from tests.harness.alerts import NOW
from tests.harness.console import signed_in
from tests.harness.desk import Desk
from tests.harness.warnings import following, foreign, xml
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web


@pytest.fixture
def desk(web: Web) -> Desk:
    return Desk(web)


async def relayed(desk: Desk, message: Incoming) -> int:
    """An officer puts the draft of a message forward, and it goes out; the alert's number."""
    console = await signed_in(desk.web, f"officer{message.id}", ("author", DISTRICT), ("approver", DISTRICT))
    typed = await desk.typed(message)
    if not typed.get("instruction") and message.msg_type != MsgType.CANCEL:  # not everybody says what to do
        typed["instruction"] = "请留在室内。"
    version = await desk.value("SELECT version FROM draft_form WHERE key = $1", message.draft_key)
    await console.get(f"/compose/{message.draft_key}")
    regions = " ".join(name.removeprefix("region-") for name in typed if name.startswith("region-"))
    given = {**typed, "regions": regions, "version": str(version), "do": "send", "status": typed["status"]}
    answer = await console.post(f"/compose/{message.draft_key}", {**given, "do": "submit"})
    assert answer.status == 303, console.text
    number = int(answer.headers["Location"].split("/")[2].partition("?")[0])
    current = await desk.value("SELECT version FROM alert WHERE id = $1", number)
    approval = {"version": current}
    approved = await desk.web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json=approval)
    assert approved.status == 200, await approved.text()
    issued = await desk.web.ask("POST", f"/api/v1/alerts/{number}/issue", json={})
    assert issued.status == 200, await issued.text()
    return number


async def test_a_message_for_a_town_of_ours_becomes_a_draft_with_its_words(desk: Desk) -> None:
    message = await desk.receive(foreign())
    assert (message.state, message.verdict) == (State.DRAFTED, Verdict.ACCEPTED)
    assert (message.regions, message.place) == ((TOWN,), "here")
    typed = await desk.typed(message)
    assert typed["headline"] == "鄞州区发布台风红色预警"
    assert (typed["hazard"], typed["colour"], typed["status"]) == ("typhoon", "red", "Actual")
    assert typed[f"region-{TOWN}"] == "on"
    assert float(typed["valid_hours"]) == 6
    assert await desk.value("SELECT count(*) FROM audit_entry WHERE action = 'incoming.draft'") == 1


async def test_a_source_that_is_not_trusted_with_it_only_tells(desk: Desk) -> None:
    message = await desk.receive(foreign(), "teller")
    assert (message.state, message.draft_key) == (State.WAITING, None)


async def test_the_same_again_changes_nothing(desk: Desk) -> None:
    first = await desk.receive(foreign())
    assert await desk.receive(foreign()) == first
    assert await desk.value("SELECT count(*) FROM incoming") == 1
    other = xml(foreign()).replace(b"<info>", b"<!-- again --><info>")
    again = await desk.receive(other, "teller")
    assert (again.state, again.same_as) == (State.REPEATED, first.id)
    assert await desk.value("SELECT count(*) FROM draft_form") == 1


async def test_the_same_event_by_another_feed_is_one(desk: Desk) -> None:
    first = await desk.receive(foreign())
    other = await desk.receive(replace(foreign("NMC_77"), sender="nmc", sent=NOW + timedelta(seconds=30)), "teller")
    assert (other.state, other.same_as) == (State.REPEATED, first.id)
    town = await desk.receive(foreign("QX_2", regions=(OTHER_TOWN,)))
    later = await desk.receive(replace(foreign("QX_3"), sent=NOW + timedelta(minutes=5)))
    assert [town.state, later.state] == [State.DRAFTED] * 2


async def test_a_trusted_feed_makes_the_draft_that_an_untrusted_one_only_asked_for(desk: Desk) -> None:
    first = await desk.receive(foreign(), "teller")
    second = await desk.receive(replace(foreign("NMC_77"), sender="nmc"), "drafter")
    assert second.state == State.REPEATED
    first = await desk.one(first.id)
    assert first.state == State.DRAFTED
    assert first.draft_key is not None


async def test_the_same_name_with_other_content_is_for_an_officer(desk: Desk) -> None:
    await desk.receive(foreign())
    forged = foreign()
    forged = replace(forged, infos=(replace(forged.infos[0], headline="台风预警已解除"),))
    message = await desk.receive(forged, "teller")
    assert message.state == State.WAITING
    assert "内容却不同" in message.note


@pytest.mark.parametrize(
    ("area", "state", "place"),
    [
        (Area("北京", geocodes=(NamedValue("GB/T 2260", "110000"),)), State.OUTSIDE, "elsewhere"),
        (Area("浙江", geocodes=(NamedValue("GB/T 2260", "330000"),)), State.DRAFTED, "here"),
        (Area("全国", geocodes=(NamedValue("adcode", "000000"),)), State.DRAFTED, "here"),
        (Area("DC", geocodes=(NamedValue("SAME", "011001"),)), State.OUTSIDE, "elsewhere"),
        (Area("Ghent", geocodes=(NamedValue("EMMA_ID", "BE234"),)), State.OUTSIDE, "elsewhere"),
        (Area("华东", geocodes=(NamedValue("EMMA_ID", "CN999"),)), State.WAITING, "unknown"),
        (Area("一镇", geocodes=(NamedValue("EMMA_ID", "CN330"),)), State.DRAFTED, "here"),
        (Area("浙江", geocodes=(NamedValue("ISO 3166-2", "CN-ZJ"),)), State.WAITING, "unknown"),
        (Area("宁波市鄞州区"), State.DRAFTED, "here"),
        (Area("第1镇、第2镇"), State.DRAFTED, "here"),
        (Area("东部沿海"), State.WAITING, "unknown"),
        (Area("圆内", circles=(Circle(121.5, 29.8, 5.0),)), State.DRAFTED, "here"),
        (Area("远处", circles=(Circle(10.0, 50.0, 5.0),)), State.OUTSIDE, "elsewhere"),
        (
            Area("框内", polygons=(((121.4, 29.7), (121.6, 29.7), (121.6, 29.9), (121.4, 29.7)),)),
            State.DRAFTED,
            "here",
        ),
    ],
)
async def test_where_a_message_applies(desk: Desk, area: Area, state: State, place: str) -> None:
    message = await desk.receive(foreign(area=area))
    assert (message.state, message.place) == (state, place), message.note
    if state is State.WAITING:
        assert area.description in message.note


async def test_shapes_that_are_made_to_take_long_are_left_to_an_officer(desk: Desk) -> None:
    many = tuple(Circle(121.5, 29.8, 1 + number / 1000) for number in range(placing.SHAPES_MOST + 1))
    message = await desk.receive(foreign(area=Area("圆", circles=many)))
    assert (message.state, message.place) == (State.WAITING, "unknown")
    assert "过于复杂" in message.note


async def test_what_cannot_be_placed_beside_what_can_is_told(desk: Desk) -> None:
    both = foreign("QX_2")
    areas = (*both.infos[0].areas, Area("某地"))
    message = await desk.receive(replace(both, infos=(replace(both.infos[0], areas=areas),)))
    assert message.state == State.DRAFTED
    assert "某地" in message.note


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"expires": NOW + timedelta(minutes=1)}, State.EXPIRED),
        ({"status": Status.SYSTEM}, State.NOTED),
        ({"status": Status.DRAFT}, State.NOTED),
        ({"status": Status.EXERCISE}, State.DRAFTED),
        ({"status": Status.TEST}, State.DRAFTED),
        ({"msg_type": MsgType.ACK, "references": (Reference("daohu", "330212_1", NOW),)}, State.NOTED),
    ],
)
async def test_what_is_not_to_be_sent_is_only_kept(desk: Desk, changes: dict[str, Any], state: State) -> None:
    if state is State.EXPIRED:
        desk.web.clock.advance(120)
    message = await desk.receive(foreign(**changes))
    assert message.state == state
    if state == State.DRAFTED:
        assert (await desk.typed(message))["status"] == changes["status"].value


async def test_what_is_refused_says_why_with_its_line(desk: Desk) -> None:
    message = await desk.receive(xml(foreign()).replace(b"<scope>Public</scope>", b""))
    assert (message.state, message.verdict) == (State.REFUSED, Verdict.REFUSED)
    assert any("<scope>" in reason and "行" in reason for reason in message.reasons)


async def test_an_update_and_a_cancel_of_what_we_relayed_make_the_matching_drafts(desk: Desk) -> None:
    first = foreign()
    message = await desk.receive(first)
    alert = await relayed(desk, message)
    update = await desk.receive(following(first, "QX_2", MsgType.UPDATE))
    assert update.state == State.DRAFTED, update.note
    assert await desk.value("SELECT (replaces, deed)::text FROM draft_form WHERE key = $1", update.draft_key) == (
        f"({alert},update)"
    )
    newer = await relayed(desk, update)
    assert await desk.value("SELECT superseded_by FROM alert WHERE id = $1", alert)
    cancel = await desk.receive(following(following(first, "QX_2", MsgType.UPDATE), "QX_3", MsgType.CANCEL))
    assert cancel.state == State.DRAFTED, cancel.note
    assert await desk.value("SELECT (replaces, deed)::text FROM draft_form WHERE key = $1", cancel.draft_key) == (
        f"({newer},cancel)"
    )


async def test_a_source_that_only_tells_has_an_officer_update_what_we_relayed(desk: Desk) -> None:
    first = foreign()
    alert = await relayed(desk, await desk.receive(first))
    update = await desk.receive(following(first, "QX_2", MsgType.UPDATE), "teller")
    assert update.state == State.WAITING
    assert f"第 {alert} 条预警" in update.note


async def test_an_update_that_leaves_us_out_is_seen_by_an_officer(desk: Desk) -> None:
    first = foreign()
    await relayed(desk, await desk.receive(first))
    gone = foreign("QX_2", regions=("110101",))
    update = await desk.receive(replace(following(first, "QX_2", MsgType.UPDATE), infos=gone.infos))
    assert update.state == State.WAITING
    assert "核对是否解除" in update.note


async def test_a_drill_never_touches_what_is_real(desk: Desk) -> None:
    first = foreign()
    await relayed(desk, await desk.receive(first))
    cancel = await desk.receive(following(first, "QX_2", MsgType.CANCEL, status=Status.EXERCISE))
    assert cancel.state == State.WAITING
    assert cancel.draft_key is None


async def test_a_cancel_takes_back_what_still_waits(desk: Desk) -> None:
    first = foreign()
    message = await desk.receive(first, "teller")
    cancel = await desk.receive(following(first, "QX_2", MsgType.CANCEL), "teller")
    assert (await desk.one(message.id)).state == State.REPLACED
    assert cancel.state == State.NOTED


async def test_a_drill_takes_back_nothing_real_that_waits_or_is_still_to_come(desk: Desk) -> None:
    first = foreign()
    message = await desk.receive(first, "teller")
    await desk.receive(following(first, "QX_2", MsgType.CANCEL, status=Status.EXERCISE), "teller")
    assert (await desk.one(message.id)).state == State.WAITING
    late = foreign("QX_3", regions=(OTHER_TOWN,))
    await desk.receive(following(late, "QX_4", MsgType.CANCEL, status=Status.EXERCISE), "teller")
    assert (await desk.receive(late, "teller")).state == State.WAITING


async def test_what_has_proven_itself_and_waits_is_taken_back_by_nobody_who_has_not(desk: Desk) -> None:
    first = foreign()
    message = await desk.receive(first, "teller")
    await desk.value("UPDATE incoming SET signature = 'good' WHERE id = $1", message.id)
    await desk.receive(following(first, "QX_2", MsgType.CANCEL), "drafter")
    assert (await desk.one(message.id)).state == State.WAITING


async def test_a_cancel_of_a_draft_that_lies_open_is_told(desk: Desk) -> None:
    first = foreign()
    await desk.receive(first)
    cancel = await desk.receive(following(first, "QX_2", MsgType.CANCEL))
    assert cancel.state == State.WAITING
    assert "已有草稿" in cancel.note


async def test_what_comes_after_its_own_cancel_makes_no_draft(desk: Desk) -> None:
    first = foreign()
    cancel = await desk.receive(following(first, "QX_2", MsgType.CANCEL))
    assert cancel.state == State.WAITING
    late = await desk.receive(first)
    assert (late.state, late.draft_key) == (State.REPLACED, None)


async def test_a_message_that_kills_its_judge_is_given_up(desk: Desk) -> None:
    shelved = await desk.receive(foreign("QX_9"))
    await desk.value("UPDATE incoming SET state = 'new', tries = 5, settled_at = NULL WHERE id = $1", shelved.id)
    await desk.settle()
    assert (await desk.one(shelved.id)).state == State.REFUSED


async def test_however_many_workers_look_a_message_is_judged_and_not_given_up(desk: Desk) -> None:
    shelf = LedgerShelf(desk.web.database, desk.web.clock, "drafter")
    (number,) = await shelf.take([Item(xml(foreign()))])
    await asyncio.gather(*(desk.web.context.intake.settle() for _ in range(3 * settling.MOST_TRIES)))
    assert (await desk.one(number)).state == State.DRAFTED
    assert await desk.value("SELECT tries FROM incoming WHERE id = $1", number) == 1


async def test_a_message_whose_judge_died_is_taken_up_by_another(desk: Desk) -> None:
    shelf = LedgerShelf(desk.web.database, desk.web.clock, "drafter")
    (number,) = await shelf.take([Item(xml(foreign()))])
    await desk.value("UPDATE incoming SET tries = 1, judging_until = clock_timestamp() + interval '1 minute'")
    await desk.settle()
    assert (await desk.one(number)).state == State.NEW, "somebody is at it"
    await desk.value("UPDATE incoming SET judging_until = clock_timestamp() - interval '1 second'")
    await desk.settle()
    assert (await desk.one(number)).state == State.DRAFTED


async def test_a_national_message_is_placed_by_its_codes(desk: Desk, shared: Any) -> None:
    text = next((shared / "data" / "cap" / "national_dialect_cn12379").iterdir()).read_text(encoding="utf-8")
    ours = text.replace("330205004", "330212101").replace(
        "<expires>2012-10-25 09:15:58", "<expires>2026-08-10 09:15:58"
    )
    message = await desk.receive(ours.encode(), "national")
    assert (message.state, message.hazard, message.colour) == (State.DRAFTED, "typhoon", "blue")
