"""Rules at work: from readings to the alert that goes out, with the rule's own rights, once, whoever crashes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from broadcaster.alerts import actor as alerts
from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.succession import CallingOff, called_off, updating
from broadcaster.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from broadcaster.escalation.units import open_units
from broadcaster.security.permissions import Actor, Grant, Role
from broadcaster.triggers import rules
from broadcaster.triggers.acting import ACCOUNT, Hand, issuing_by_rule
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.watching import Watch
from broadcaster.web.context import Context
from tests.harness.stations import course, register
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN

RULE = """
title = "河道洪水"
hazard = "flood"
stations = ["s-1"]
calm = "30m"
cool_down = "1h"
clear = "{clear}"
{more}
[[levels]]
colour = "yellow"
do = "{yellow}"
[[levels.when]]
element = "water_level"
above = 3.0
[[levels]]
colour = "red"
do = "{red}"
[[levels.when]]
element = "water_level"
above = 5.0
lasting = "5m"
"""
WRITER = Actor(1, "writer", (Grant(Role.ADMINISTRATOR, DISTRICT),))
CHIEF = Actor(2, "chief", (Grant(Role.APPROVER, DISTRICT),))


class Ground:
    """One river station and one rule about it."""

    def __init__(self, context: Context, clock: Any) -> None:
        self.context, self.clock = context, clock
        self.database = context.database
        self.readings = Readings(self.database, clock, 30)
        self.announced: list[int] = []
        send = issuing_by_rule(self.database, clock, context.office, open_units)
        self.hand = Hand(self.database, clock, context.office, send, self._announce, frozenset({"flood"}))

    async def _announce(self, alert_id: int) -> None:
        self.announced.append(alert_id)

    async def begin(
        self, yellow: str, red: str = "hold", clear: str = "issue", more: str = "", mode: str = "live"
    ) -> None:
        await register(self.database, "s-1", f"{TOWN}001", place=(121.5, 29.8))
        text = RULE.format(yellow=yellow, red=red, clear=clear, more=more)
        async with self.database.connection() as connection:
            for actor in (WRITER, CHIEF):
                await connection.execute(
                    "INSERT INTO account (id, name, password_hash, active, created_at, password_given, factor_seed,"
                    " factor_on, factor_step) OVERRIDING SYSTEM VALUE VALUES ($1, $2, '', true, now(), false, '',"
                    " false, 0) ON CONFLICT DO NOTHING",
                    actor.account_id + 1000,
                    actor.name,
                )
        writer = Actor(1001, "writer", WRITER.grants)
        chief = Actor(1002, "chief", CHIEF.grants)
        now = self.clock.now()
        await rules.save(self.database, writer, DISTRICT, "flood", text, issuing=["flood"], seen=0, note="", now=now)
        await rules.put_to_work(self.database, chief, DISTRICT, "flood", 1, mode, now, own=False)

    async def rises_to(self, *levels: float) -> None:
        """Readings five minutes apart, each looked at when it comes."""
        for level in levels:
            self.clock.advance(300)
            await self.readings.keep(course("s-1", "water_level", self.clock.now(), [level]), source="t")
            await self.look()

    async def look(self) -> None:
        while await Watch(self.hand).look():
            pass

    async def events(self) -> list[tuple[str, str, str]]:
        async with self.database.connection() as connection:
            return [
                (one.step, one.colour.value, one.state) for one in reversed(await rules.events(connection, "flood"))
            ]

    async def lines(self) -> list[tuple[str, str | None, str, bool]]:
        """Every alert: its type, colour and state, and whether it belongs to the lineage of the first."""
        found = await AlertRecord.all().order_by("id")
        return [(one.msg_type, one.colour, one.state, one.lineage == found[0].identifier) for one in found]

    def actor(self) -> alerts.Actor:
        return alerts.Actor("duty", frozenset({alerts.Role.AUTHOR}))

    async def run_out(self) -> None:
        async with self.database.transaction() as connection:
            await authoring.end_expired(connection, self.clock.now())

    async def value(self, query: str, *values: object) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetchval(query, *values)


@pytest.fixture
async def ground(context: Context, clock: Any) -> Ground:
    return Ground(context, clock)


async def test_an_event_is_one_lineage_from_the_first_warning_to_the_all_clear(ground: Ground) -> None:
    await ground.begin("issue", "issue")
    await ground.rises_to(1.0, 3.2, 3.4, 5.2, 5.3, 5.4)
    await ground.rises_to(*[1.0] * 10)
    assert await ground.events() == [
        ("raise", "yellow", "issued"),
        ("rise", "red", "issued"),
        ("clear", "red", "issued"),
    ]
    first, second, third = await AlertRecord.all().order_by("id")
    assert [one.msg_type for one in (first, second, third)] == ["Alert", "Update", "Cancel"]
    assert {one.lineage for one in (first, second, third)} == {first.identifier}
    assert (first.colour, second.colour, third.state) == ("yellow", "red", "issued")
    assert {one.created_by for one in (first, second, third)} == {ACCOUNT}
    assert ground.announced == [first.id, second.id, third.id]
    assert "水位" in first.alert.note
    assert await ground.value("SELECT count(*) FROM run") == 3
    assert (
        await ground.value("SELECT count(*) FROM audit_entry WHERE action = 'alert.issue' AND subject = 'rule:flood'")
        == 3
    )
    assert await ground.value("SELECT count(*) FROM credential") == 0
    assert (
        await ground.value(
            "SELECT count(*) FROM account_grant g JOIN account a ON a.id = g.account_id WHERE a.name = $1", ACCOUNT
        )
        == 0
    )


async def test_what_is_held_goes_out_in_its_time_unless_it_is_vetoed(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    assert await ground.events() == [("raise", "yellow", "held")]
    record = await AlertRecord.get()
    assert record.state == "draft"
    ground.clock.advance(599)
    await ground.look()
    assert ground.announced == []
    ground.clock.advance(2)
    await ground.look()
    assert ground.announced == [record.id]
    assert await ground.events() == [("raise", "yellow", "issued")]
    with pytest.raises(ConflictError):
        await rules.veto(ground.database, CHIEF, 1, ground.clock.now())


async def test_a_veto_keeps_it_in_and_the_event_is_not_raised_again(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    stranger = Actor(9, "x", (Grant(Role.APPROVER, OTHER_TOWN),))
    with pytest.raises(NotFoundError):
        await rules.veto(ground.database, stranger, 1, ground.clock.now())
    await rules.veto(ground.database, CHIEF, 1, ground.clock.now())
    await ground.rises_to(3.3, 3.4, 3.5)
    assert await ground.events() == [("raise", "yellow", "vetoed")]
    assert (ground.announced, (await AlertRecord.get()).state) == ([], "draft")
    assert await ground.value("SELECT count(*) FROM audit_entry WHERE action = 'rules.veto'") == 1
    await ground.rises_to(5.1, 5.2)
    assert await ground.events() == [("raise", "yellow", "vetoed"), ("rise", "red", "held")]


async def test_a_hold_is_overtaken_by_a_higher_colour_and_by_the_end(ground: Ground) -> None:
    await ground.begin("hold", "hold")
    await ground.rises_to(5.1, 5.2)
    assert [state for _, _, state in await ground.events()] == ["over", "held"]
    ground.clock.advance(-0)
    await ground.value(
        "UPDATE rule_event SET due_at = $1 WHERE state = 'held' RETURNING id", ground.clock.now() + timedelta(days=1)
    )
    await ground.rises_to(*[1.0] * 8)
    assert await ground.events() == [("raise", "yellow", "over"), ("rise", "red", "over"), ("clear", "red", "open")]
    assert ground.announced == []


async def test_water_that_rises_fast_does_not_put_off_every_warning(ground: Ground) -> None:
    await ground.begin("hold", "hold")
    await ground.rises_to(3.1, 5.1, 5.2)
    assert [state for _, _, state in await ground.events()] == ["over", "held"]
    due = await ground.value("SELECT due_at FROM rule_event WHERE state = 'held'")
    assert due == ground.clock.now() + timedelta(minutes=1), "the yellow one would have gone out now"
    ground.clock.advance(60)
    await ground.look()
    assert await ground.events() == [("raise", "yellow", "over"), ("rise", "red", "issued")]


async def test_what_an_officer_sent_back_does_not_go_out(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    await ground.value("UPDATE alert SET state = 'rejected' RETURNING id")
    ground.clock.advance(700)
    await ground.look()
    assert await ground.events() == [("raise", "yellow", "vetoed")]
    assert ground.announced == []


async def test_an_alert_that_runs_out_while_the_danger_lasts_is_raised_anew(ground: Ground) -> None:
    await ground.begin("issue", more="valid_hours = 1")
    await ground.rises_to(1.0, 3.2)
    await ground.rises_to(*[3.2] * 14)
    assert len(await ground.events()) == 1
    async with ground.database.transaction() as connection:
        assert len(await authoring.end_expired(connection, ground.clock.now())) == 1
    await ground.rises_to(3.2, 3.3)
    assert await ground.events() == [("raise", "yellow", "issued")] * 2
    first, second = await AlertRecord.all().order_by("id")
    assert (second.msg_type, second.lineage) == ("Alert", second.identifier)
    assert first.state == "ended"


async def test_what_an_officer_called_off_is_not_raised_again_until_it_was_over(ground: Ground) -> None:
    await ground.begin("issue")
    await ground.rises_to(1.0, 3.2)
    await ground.value("UPDATE alert SET state = 'ended', ended_at = $1 RETURNING id", ground.clock.now())
    await ground.rises_to(3.3, 3.4)
    assert await ground.events() == [("raise", "yellow", "issued")]


async def test_what_is_lost_sight_of_is_told_and_not_called_off(ground: Ground) -> None:
    await ground.begin("issue", more="valid_hours = 24", clear="issue")
    await ground.rises_to(1.0, 3.2)
    for _ in range(14):
        ground.clock.advance(3600)
        await ground.look()
    assert await ground.events() == [("raise", "yellow", "issued"), ("lost", "yellow", "open")]
    assert [one.state for one in await AlertRecord.all()] == ["issued"]


async def test_what_is_held_does_not_go_out_once_the_rule_is_back_on_trial(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    chief = Actor(1002, "chief", CHIEF.grants)
    await rules.put_to_work(ground.database, chief, DISTRICT, "flood", 1, "shadow", ground.clock.now(), own=False)
    ground.clock.advance(700)
    await ground.look()
    assert ground.announced == []
    assert ("raise", "yellow", "over") in await ground.events()


async def test_on_trial_it_only_writes_down_what_it_would_do(ground: Ground) -> None:
    await ground.begin("issue", mode="shadow")
    await ground.rises_to(1.0, 3.2, 5.1, 5.2)
    assert await ground.events() == [("raise", "yellow", "seen"), ("rise", "red", "seen")]
    assert await AlertRecord.all().count() == 0


async def test_a_rule_cannot_reach_beyond_its_regions_and_that_is_told(ground: Ground) -> None:
    await ground.begin("issue", more=f'within = ["{OTHER_TOWN}"]')
    await ground.rises_to(1.0, 3.2)
    assert await ground.events() == [("raise", "yellow", "failed")]
    assert await AlertRecord.all().count() == 0
    async with ground.database.connection() as connection:
        (event,) = await rules.open_events(connection, [TOWN])
    assert "权限" in event.fault
    assert TOWN not in event.fault, "the place is called by its name"


async def test_a_drill_stays_a_drill(ground: Ground) -> None:
    await ground.begin("issue", more="drill = true")
    await ground.rises_to(1.0, 3.2)
    record = await AlertRecord.get()
    assert (record.status, record.alert.rehearsal) == ("Exercise", True)
    assert await ground.value("SELECT rehearsal FROM run")


async def test_two_who_look_at_once_take_one_step_and_a_crash_leaves_nothing_half_done(ground: Ground) -> None:
    await ground.begin("issue")
    send = ground.hand.issue

    async def crash(_alert_id: int, _by: object) -> AlertRecord:
        raise UnavailableError("x") if False else OSError("killed")

    await ground.rises_to(1.0)
    ground.clock.advance(300)
    await ground.readings.keep(course("s-1", "water_level", ground.clock.now(), [3.2]), source="t")
    object.__setattr__(ground.hand, "issue", crash)
    with pytest.raises(OSError, match="killed"):
        await Watch(ground.hand).look()
    assert (await ground.events(), await AlertRecord.all().count()) == ([], 0)
    object.__setattr__(ground.hand, "issue", send)
    ground.clock.advance(2)
    await asyncio.gather(*(Watch(ground.hand).look() for _ in range(4)))
    assert await ground.events() == [("raise", "yellow", "issued")]
    assert await AlertRecord.all().count() == 1


async def test_a_rule_that_cannot_be_read_is_told_and_holds_up_no_other(ground: Ground) -> None:
    await ground.begin("issue")
    await ground.value(
        "INSERT INTO decision (subject, name, version, body, note, account_id, saved_at)"
        " VALUES ('rule', 'broken', 1, 'title = 1', '', 1001, now()) RETURNING version"
    )
    await ground.value(
        "INSERT INTO rule_standing (name, version, mode, set_by, set_at)"
        " VALUES ('broken', 1, 'live', 1001, now()) RETURNING name"
    )
    for level in (1.0, 3.2):
        ground.clock.advance(300)
        await ground.readings.keep(course("s-1", "water_level", ground.clock.now(), [level]), source="t")
        with pytest.raises(msgspec.ValidationError):
            await Watch(ground.hand).look()
    assert await ground.events() == [("raise", "yellow", "issued")]
    assert "ValidationError" in await ground.value("SELECT trouble FROM rule_standing WHERE name = 'broken'")


async def test_nobody_puts_their_own_rule_to_work(ground: Ground) -> None:
    await ground.begin("draft", mode="shadow")
    both = Actor(1001, "writer", (*WRITER.grants, Grant(Role.APPROVER, DISTRICT)))
    now = ground.clock.now()
    with pytest.raises(ForbiddenError):
        await rules.put_to_work(ground.database, both, DISTRICT, "flood", 1, "live", now, own=False)
    with pytest.raises(ForbiddenError):
        await rules.put_to_work(ground.database, WRITER, DISTRICT, "flood", 1, "live", now, own=False)
    await rules.put_to_work(ground.database, both, DISTRICT, "flood", 1, "live", now, own=True)


async def test_upstream_readings_warn_downstream_ahead_of_the_water(ground: Ground) -> None:
    await register(ground.database, "d-1", f"{TOWN}002", clusters=["down"])
    await register(ground.database, "d-2", f"{OTHER_TOWN}001", clusters=["down"])
    await ground.begin("draft", more='lead = "90m"\n[area]\nstations = ["group:down"]')
    await ground.rises_to(1.0, 3.2)
    info = (await AlertRecord.get()).alert.infos[0]
    assert {code.value for code in info.areas[0].geocodes} >= {f"{TOWN}002", f"{OTHER_TOWN}001"}
    assert info.onset == ground.clock.now() + timedelta(minutes=90)


async def test_a_draft_waits_for_an_officer(ground: Ground) -> None:
    await ground.begin("draft", more="[area]\nradius_km = 3")
    await ground.rises_to(1.0, 3.2)
    record = await AlertRecord.get()
    assert (record.state, await ground.events()) == ("draft", [("raise", "yellow", "open")])
    assert record.alert.infos[0].areas[0].circles[0].km == 3
    await rules.note(ground.database, Actor(1002, "chief", CHIEF.grants), 1, ground.clock.now())
    assert await ground.events() == [("raise", "yellow", "seen")]


async def test_the_all_clear_calls_off_what_is_out_though_a_higher_colour_was_vetoed(ground: Ground) -> None:
    await ground.begin("issue", "hold")
    await ground.rises_to(1.0, 3.2, 5.1, 5.2)
    await rules.veto(ground.database, CHIEF, 2, ground.clock.now())
    await ground.rises_to(*[1.0] * 8)
    assert (await ground.events())[-1] == ("clear", "red", "issued")
    assert [one for one in await ground.lines() if one[2] == "issued"] == [
        ("Alert", "yellow", "issued", True),
        ("Cancel", "yellow", "issued", True),
    ]


async def test_a_colour_between_that_stays_a_draft_does_not_break_the_lineage(ground: Ground) -> None:
    orange = '[[levels]]\ncolour = "orange"\ndo = "draft"\n[[levels.when]]\nelement = "water_level"\nabove = 4.0'
    await ground.begin("issue", "issue", more=orange)
    await ground.rises_to(1.0, 3.2, 4.2, 5.1, 5.2)
    assert await ground.lines() == [
        ("Alert", "yellow", "issued", True),
        ("Update", "orange", "draft", True),
        ("Update", "red", "issued", True),
    ]


async def test_danger_that_comes_back_before_the_all_clear_is_out_goes_on_with_what_is(ground: Ground) -> None:
    await ground.begin("issue", "issue", clear="draft")
    await ground.rises_to(1.0, 3.2, *[1.0] * 8, 5.1, 5.2)
    assert await ground.lines() == [
        ("Alert", "yellow", "issued", True),
        ("Cancel", "yellow", "draft", True),
        ("Update", "red", "issued", True),
    ]


async def test_an_update_that_is_held_goes_out_though_what_it_updates_runs_out(ground: Ground) -> None:
    await ground.begin("issue", "hold", more="valid_hours = 1")
    await ground.rises_to(1.0, 3.2, *[3.2] * 10, 5.1, 5.2)
    ground.clock.advance(170)
    await ground.run_out()
    assert [state for _, _, state, _ in await ground.lines()] == ["ended", "draft"]
    ground.clock.advance(11)
    await ground.look()
    assert await ground.lines() == [("Alert", "yellow", "ended", True), ("Alert", "red", "issued", False)]
    assert (await ground.events())[-1] == ("rise", "red", "issued")


@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_all_clear_that_is_held_says_so_when_nothing_is_left_to_call_off(
    ground: Ground, cancelled: bool
) -> None:
    await ground.begin("issue", clear="hold")
    await ground.rises_to(1.0, 3.2, *[1.0] * 7)
    assert (await ground.events())[-1] == ("clear", "yellow", "held")
    (first, _), held = await AlertRecord.all().order_by("id"), ground.announced[:]
    if cancelled:
        off = called_off(first, CallingOff(), identifier="330212_officer", sender="o", now=ground.clock.now())
        record = await authoring.create(ground.database, off, ground.actor(), ground.clock.now())
        await ground.hand.issue(record.id, ground.actor())
    else:
        await ground.value("UPDATE alert SET state = 'ended' WHERE id = $1 RETURNING id", first.id)
    ground.clock.advance(181)
    await ground.look()
    async with ground.database.connection() as connection:
        (event,) = [one for one in await rules.open_events(connection, [TOWN]) if one.step == "clear"]
    assert (event.state, event.fault, ground.announced) == ("open", "", held)
    assert "没有要解除的" in event.said[-1].chinese


async def test_an_update_that_is_held_follows_what_an_officer_sent_out_meanwhile(ground: Ground) -> None:
    await ground.begin("issue", "hold")
    await ground.rises_to(1.0, 3.2, 5.1, 5.2)
    first, held = await AlertRecord.all().order_by("id")
    newer = updating(replace(first.alert, identifier="330212_officer", sent=ground.clock.now()), first)
    record = await authoring.create(ground.database, newer, ground.actor(), ground.clock.now())
    await ground.hand.issue(record.id, ground.actor())
    ground.clock.advance(181)
    await ground.look()
    held = await AlertRecord.get(id=held.id)
    assert (held.state, held.predecessor_id, held.lineage) == ("issued", record.id, first.identifier)


async def test_what_somebody_changed_while_it_was_held_takes_the_way_of_approval(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    record = await AlertRecord.get()
    now = ground.clock.now()
    await authoring.edit(ground.database, record.id, record.alert, ground.actor(), now, version=record.version)
    ground.clock.advance(300)
    await ground.rises_to(3.2)
    ground.clock.advance(60)
    await ground.look()
    assert (await ground.events(), ground.announced) == ([("raise", "yellow", "failed")], [])
    async with ground.database.connection() as connection:
        (event,) = await rules.open_events(connection, [TOWN])
    assert "改过" in event.fault


async def test_one_that_cannot_go_out_holds_up_no_other_and_no_rule(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    await ground.value(
        "INSERT INTO rule_event (rule, version, mode, step, colour, deed, state, regions, said, fault, due_at, at)"
        " VALUES ('gone', 1, 'live', 'raise', 'red', 'hold', 'held', $1, '[]', '', $2, $2) RETURNING id",
        [TOWN],
        ground.clock.now(),
    )
    ground.clock.advance(601)
    await ground.readings.keep(course("s-1", "water_level", ground.clock.now(), [3.2]), source="t")
    for _ in range(2):
        with suppress(NotFoundError):
            await Watch(ground.hand).look()
    assert await ground.events() == [("raise", "yellow", "issued")]
    assert await ground.value("SELECT state FROM rule_event WHERE rule = 'gone'") == "failed"


async def test_what_is_held_waits_while_its_level_does_not_hold(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2, 2.0, 2.0, 2.0)
    async with ground.database.connection() as connection:
        (event,) = await rules.open_events(connection, [TOWN])
    assert (event.state, event.eased, ground.announced) == ("held", True, [])
    await ground.rises_to(3.3)
    assert await ground.events() == [("raise", "yellow", "issued")]


async def test_what_is_held_over_a_restart_goes_out_only_if_it_still_holds(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    ground.clock.advance(7200)
    await ground.readings.keep(course("s-1", "water_level", ground.clock.now(), [1.0]), source="t")
    await ground.look()
    assert ground.announced == []
    await ground.rises_to(*[1.0] * 8)
    assert await ground.events() == [("raise", "yellow", "over"), ("clear", "yellow", "open")]


async def test_an_instrument_whose_clock_is_ahead_is_believed_at_once(ground: Ground) -> None:
    await ground.begin("issue", "issue")
    for level in (1.0, 3.2, 5.1, 5.2):
        ground.clock.advance(300)
        ahead = ground.clock.now() + timedelta(minutes=8)
        await ground.readings.keep(course("s-1", "water_level", ahead, [level]), source="t")
        await ground.look()
    assert await ground.events() == [("raise", "yellow", "issued"), ("rise", "red", "issued")]


async def test_a_new_version_goes_on_with_the_event_and_what_is_held(ground: Ground) -> None:
    await ground.begin("hold", "issue")
    await ground.rises_to(1.0, 3.2)
    text = RULE.format(yellow="hold", red="issue", clear="issue", more="").replace("3.0", "2.5")
    now = ground.clock.now()
    writer, chief = Actor(1001, "writer", WRITER.grants), Actor(1002, "chief", CHIEF.grants)
    await rules.save(ground.database, writer, DISTRICT, "flood", text, issuing=["flood"], seen=1, note="", now=now)
    await rules.put_to_work(ground.database, chief, DISTRICT, "flood", 2, "live", now, own=False)
    await ground.rises_to(2.6, 2.6, 5.1, 5.2)
    assert await ground.events() == [("raise", "yellow", "issued"), ("rise", "red", "issued")]
    assert [one[3] for one in await ground.lines()] == [True, True]


@pytest.mark.parametrize("mode", ["off", "shadow"])
async def test_a_rule_that_rested_during_an_event_goes_on_with_its_lineage(ground: Ground, mode: str) -> None:
    await ground.begin("issue", "issue")
    await ground.rises_to(1.0, 3.2)
    chief = Actor(1002, "chief", CHIEF.grants)
    for now_in in (mode, "live"):
        await rules.put_to_work(ground.database, chief, DISTRICT, "flood", 1, now_in, ground.clock.now(), own=False)
        await ground.rises_to(3.3)
    await ground.rises_to(*[1.0] * 8)
    assert await ground.lines() == [
        ("Alert", "yellow", "issued", True),
        ("Update", "yellow", "issued", True),
        ("Cancel", "yellow", "issued", True),
    ]


async def test_a_rule_that_rested_since_an_event_was_called_off_begins_another(ground: Ground) -> None:
    await ground.begin("issue", "issue")
    await ground.rises_to(1.0, 3.2, *[1.0] * 8)
    chief = Actor(1002, "chief", CHIEF.grants)
    for mode in ("off", "live"):
        await rules.put_to_work(ground.database, chief, DISTRICT, "flood", 1, mode, ground.clock.now(), own=False)
    await ground.rises_to(3.3)
    assert (await ground.lines())[-1] == ("Alert", "yellow", "issued", False)


DRILL = "drill = true"


async def replace_rule(ground: Ground, more: str) -> None:
    """A second version of the rule, put to work for the first."""
    text = RULE.format(yellow="issue", red="issue", clear="issue", more=more)
    now = ground.clock.now()
    writer, chief = Actor(1001, "writer", WRITER.grants), Actor(1002, "chief", CHIEF.grants)
    await rules.save(ground.database, writer, DISTRICT, "flood", text, issuing=["flood"], seen=1, note="", now=now)
    await rules.put_to_work(ground.database, chief, DISTRICT, "flood", 2, "live", now, own=False)


async def test_what_a_rule_holds_does_not_go_out_once_it_is_a_drill(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2)
    await replace_rule(ground, DRILL)
    await ground.rises_to(1.0, 3.2, 3.2)
    assert await ground.events() == [("raise", "yellow", "over"), ("raise", "yellow", "issued")]
    assert [(one.status, one.state) for one in await AlertRecord.all().order_by("id")] == [
        ("Actual", "draft"),
        ("Exercise", "issued"),
    ]


@pytest.mark.parametrize("first", [DRILL, ""])
async def test_a_drill_that_becomes_the_real_thing_begins_anew_as_such(ground: Ground, first: str) -> None:
    await ground.begin("issue", "issue", more=first)
    await ground.rises_to(1.0, 3.2)
    await replace_rule(ground, "" if first else DRILL)
    await ground.rises_to(3.3, 5.1, 5.2)
    said = [(one.msg_type, one.status) for one in await AlertRecord.all().order_by("id")]
    before, after = ("Exercise", "Actual") if first else ("Actual", "Exercise")
    assert said == [("Alert", before), ("Alert", after), ("Update", after)]


async def test_two_who_release_at_once_and_a_veto_beside_end_in_one_way(ground: Ground) -> None:
    await ground.begin("hold")
    await ground.rises_to(1.0, 3.2, 3.2)
    ground.clock.advance(301)
    await ground.readings.keep(course("s-1", "water_level", ground.clock.now(), [3.2]), source="t")
    done = await asyncio.gather(
        *(ground.hand.release() for _ in range(3)),
        *(Watch(ground.hand).look() for _ in range(2)),
        rules.veto(ground.database, Actor(1002, "chief", CHIEF.grants), 1, ground.clock.now()),
        return_exceptions=True,
    )
    await ground.look()
    vetoed = not isinstance(done[-1], ConflictError)
    assert await ground.events() == [("raise", "yellow", "vetoed" if vetoed else "issued")]
    assert (await ground.value("SELECT count(*) FROM run"), len(ground.announced)) == ((0, 0) if vetoed else (1, 1))
