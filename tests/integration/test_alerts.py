"""An alert's life in the database: from draft to end, in turn, by the right people, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Alert, Area, Colour, MsgType, Reference, Status
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.database import Database
from broadcaster.errors import ConflictError, ForbiddenError, NotFoundError, RuleError
from broadcaster.ports import Medium
from tests.harness.alerts import ADMINISTRATOR, APPROVER, AUTHOR, NOW, typhoon, update, with_info

FIRST = ApprovalRules(issue_first=True)
POLICY = Policy((ChannelStep((Medium.SMS, Medium.WECHAT), 120.0),), loudspeakers=True, units=())


async def _issue(database: Database, alert_id: int, actor: Actor = AUTHOR, **options: Any) -> AlertRecord:
    async with database.transaction() as connection:
        return await authoring.issue(connection, alert_id, actor, NOW, **options)


async def _issued(database: Database, alert: Alert) -> AlertRecord:
    record = await authoring.create(database, alert, AUTHOR, NOW)
    return await _issue(database, record.id, rules=FIRST)


async def test_an_alert_goes_from_draft_to_end(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    assert (draft.state, draft.version, draft.lineage) == (State.DRAFT, 1, "330212_1")
    await authoring.submit(database, draft.id, AUTHOR, NOW)
    reviewed = await authoring.load(draft.id)
    assert (reviewed.state, reviewed.alert) == (State.IN_REVIEW, typhoon())
    approved = await authoring.approve(database, draft.id, APPROVER, NOW, version=reviewed.version)
    assert (approved.state, approved.approved_by) == (State.APPROVED, "li")
    issued = await _issue(database, draft.id, policy=POLICY)
    assert (issued.state, issued.issued_at, issued.reply_code) == (State.ISSUED, NOW, "22")
    stored = await authoring.load(draft.id)
    assert stored.open
    assert stored.policy is not None
    assert stored.policy["households"] == [{"channels": ["sms", "wechat"], "wait": 120.0}]
    assert [record.id for record in await authoring.open_alerts()] == [draft.id]
    async with database.transaction():
        ended = await authoring.end(draft.id, APPROVER, NOW)
    assert (ended.state, ended.ended_at) == (State.ENDED, NOW)
    assert await authoring.open_alerts() == []


async def test_the_same_message_twice_is_one_alert(database: Database) -> None:
    first = await authoring.create(database, typhoon(), AUTHOR, NOW)
    assert (await authoring.create(database, typhoon(), AUTHOR, NOW)).id == first.id
    both = await asyncio.gather(*(authoring.create(database, typhoon(identifier="x"), AUTHOR, NOW) for _ in range(3)))
    assert len({record.id for record in both}) == 1


@pytest.mark.parametrize("change", [{"sender": "somebody"}, {"sent": NOW + timedelta(seconds=1)}])
async def test_an_identifier_that_names_another_message_is_refused(database: Database, change: dict[str, Any]) -> None:
    await authoring.create(database, typhoon(), AUTHOR, NOW)
    with pytest.raises(ConflictError, match="330212_1"):
        await authoring.create(database, typhoon(**change), AUTHOR, NOW)


async def test_an_incomplete_draft_is_kept_but_not_submitted(database: Database) -> None:
    draft = await authoring.create(database, with_info(typhoon(colour=None), areas=(Area("?"),)), AUTHOR, NOW)
    with pytest.raises(RuleError, match=r"颜色.*区域"):
        await authoring.submit(database, draft.id, AUTHOR, NOW)
    assert (await authoring.load(draft.id)).state == State.DRAFT


async def test_what_somebody_else_changed_is_not_overwritten(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    milder = typhoon(colour=Colour.ORANGE, identifier="ignored", sender="ignored")
    edited = await authoring.edit(database, draft.id, milder, AUTHOR, NOW, version=1)
    assert (edited.version, edited.colour, edited.identifier) == (2, "orange", "330212_1")
    with pytest.raises(ConflictError, match="第 2 版"):
        await authoring.edit(database, draft.id, typhoon(), ADMINISTRATOR, NOW, version=1)
    stored = (await authoring.load(draft.id)).alert
    assert (stored.colour, stored.identifier) == (Colour.ORANGE, "330212_1")


async def test_who_rewrote_an_alert_does_not_approve_it(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    await authoring.edit(database, draft.id, typhoon(colour=Colour.BLUE), ADMINISTRATOR, NOW, version=1)
    await authoring.submit(database, draft.id, AUTHOR, NOW)
    with pytest.raises(ForbiddenError, match="自己"):
        await authoring.approve(database, draft.id, ADMINISTRATOR, NOW, version=3)


async def test_an_approval_is_of_the_version_that_was_seen(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    await authoring.submit(database, draft.id, AUTHOR, NOW)
    await authoring.recall(database, draft.id, AUTHOR, NOW)
    await authoring.edit(database, draft.id, typhoon(colour=Colour.BLUE), AUTHOR, NOW, version=3)
    await authoring.submit(database, draft.id, AUTHOR, NOW)
    with pytest.raises(ConflictError):
        await authoring.approve(database, draft.id, APPROVER, NOW, version=2)


async def test_a_rejected_alert_goes_back_with_the_reason_and_can_come_again(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    await authoring.submit(database, draft.id, AUTHOR, NOW)
    rejected = await authoring.reject(database, draft.id, APPROVER, NOW, reason="区域有误")
    assert (rejected.state, rejected.rejection) == (State.REJECTED, "区域有误")
    await authoring.edit(database, draft.id, typhoon(), AUTHOR, NOW, version=rejected.version)
    again = await authoring.submit(database, draft.id, AUTHOR, NOW)
    assert (again.state, again.rejection) == (State.IN_REVIEW, None)


async def test_nothing_is_issued_unapproved_and_a_failed_issue_changes_nothing(database: Database) -> None:
    draft = await authoring.create(database, typhoon(), AUTHOR, NOW)
    with pytest.raises(RuleError, match="草稿"):
        await _issue(database, draft.id)
    with pytest.raises(ForbiddenError):
        await _issue(database, draft.id, Actor("nobody", frozenset()))
    assert (await authoring.load(draft.id)).version == 1


async def test_a_red_alert_issued_first_is_approved_afterwards(database: Database) -> None:
    issued = await _issued(database, typhoon())
    assert issued.approved_by is None
    approved = await authoring.approve(database, issued.id, APPROVER, NOW, version=issued.version)
    assert (approved.state, approved.approved_by) == (State.ISSUED, "li")


async def test_a_lineage_runs_from_the_first_issue_to_its_cancel(database: Database) -> None:
    first = await _issued(database, typhoon())
    second = await _issued(database, update(typhoon(), "330212_2"))
    cancel = update(second.alert, "330212_3", MsgType.CANCEL)
    third = await _issued(database, replace(cancel, references=(Reference("", "330212_2", None),)))
    assert [one.lineage for one in (first, second, third)] == ["330212_1"] * 3
    assert [one.predecessor_id for one in (first, second, third)] == [None, first.id, second.id]
    assert {one.reply_code for one in (first, second, third)} == {"22"}
    stored = [await authoring.load(one.id) for one in (first, second, third)]
    assert [one.superseded_by for one in stored] == ["330212_2", "330212_3", None]
    assert [one.open for one in stored] == [False, False, True]
    assert stored[2].alert.references == (Reference("daohu.330212", "330212_2", NOW),)


async def test_an_update_of_what_was_superseded_unknown_or_of_another_status_is_refused(database: Database) -> None:
    await _issued(database, typhoon())
    await _issued(database, update(typhoon(), "330212_2"))
    for alert, word in (
        (update(typhoon(), "330212_3"), "330212_2 取代"),
        (update(typhoon(identifier="unknown"), "330212_4"), "没有引用"),
        (update(typhoon(identifier="330212_2"), "330212_5", status=Status.EXERCISE), "演练"),
    ):
        with pytest.raises(RuleError, match=word):
            await _issued(database, alert)


async def test_two_updates_that_race_for_one_predecessor_are_one_update(database: Database) -> None:
    await _issued(database, typhoon())
    drafts = [await authoring.create(database, update(typhoon(), name), AUTHOR, NOW) for name in ("a", "b", "c")]
    outcomes = await asyncio.gather(
        *(_issue(database, draft.id, rules=FIRST) for draft in drafts), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlertRecord", "RuleError", "RuleError"]


async def test_open_alerts_have_different_reply_codes_however_many_are_issued_at_once(database: Database) -> None:
    alerts = [typhoon(identifier=f"n{number}") for number in range(12)]
    drafts = [await authoring.create(database, alert, AUTHOR, NOW) for alert in alerts]
    issued = await asyncio.gather(*(_issue(database, draft.id, rules=FIRST) for draft in drafts))
    assert len({record.reply_code for record in issued}) == 12


async def test_alerts_end_when_their_time_is_over(database: Database) -> None:
    short = await _issued(database, with_info(typhoon(), expires=NOW + timedelta(hours=1)))
    await _issued(database, typhoon(identifier="330212_2"))
    async with database.transaction() as connection:
        assert await authoring.end_expired(connection, NOW + timedelta(hours=1)) == [short.id]
    async with database.transaction() as connection:
        assert await authoring.end_expired(connection, NOW + timedelta(hours=1)) == []
    assert (await authoring.load(short.id)).state == State.ENDED


async def test_an_alert_that_is_not_there_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="404"):
        await authoring.submit(database, 404, AUTHOR, NOW)
    with pytest.raises(NotFoundError, match="404"):
        await _issue(database, 404)


def test_identifiers_made_here_are_distinct_and_say_where_and_when() -> None:
    made = {authoring.new_identifier("330212", NOW) for _ in range(100)}
    assert len(made) == 100
    assert all(name.startswith("330212_20260810030000_") for name in made)
