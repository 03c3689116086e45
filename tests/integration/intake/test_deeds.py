"""What a source's messages may do by themselves: told, drafted, held for a veto, sent out, and never more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broadcaster.alerts.alert import Alert, Area, MsgType, NamedValue, Status
from broadcaster.alerts.state import State as AlertState
from broadcaster.clock import ManualClock
from broadcaster.errors import SettingsError
from broadcaster.escalation.units import open_units
from broadcaster.intake.admitting import require_trustworthy
from broadcaster.intake.becoming import State
from broadcaster.intake.listing import Incoming
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.registry import Registry
from broadcaster.settings import Settings, settings_from
from broadcaster.sources import Item
from broadcaster.triggers.acting import Hand, issuing_by_rule
from broadcaster.triggers.relaying import Relaying
from broadcaster.web.context import Context
from tests.harness.alerts import NOW
from tests.harness.console import signed_in
from tests.harness.desk import Desk
from tests.harness.warnings import following, foreign, xml
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Make
from tests.harness.xmlsec import Signer, sign, signer
from tests.integration.intake.test_becoming import relayed

RED, ORANGE = "红色".encode(), "橙色".encode()
DEEDS = [
    {"do": "issue", "hazards": ["typhoon"], "colours": ["red"]},
    {"do": "hold", "hazards": ["typhoon"], "colours": ["orange"], "hold": 300},
    {"do": "notify", "hazards": ["rainstorm"]},
]


@pytest.fixture
def met(tmp_path: Path) -> Signer:
    return signer(tmp_path, "met")


@pytest.fixture
def settings(met: Signer) -> Settings:
    signed = {"kind": "cap", "trust": "draft", "signature": "prefer", "certificates": [str(met.file)]}
    return settings_from(
        {
            "district": {"code": DISTRICT, "name": "鄞州区"},
            "web": {"public_url": "http://127.0.0.1:8480"},
            "sources": [
                {"name": "met", **signed, "deeds": DEEDS},
                {"name": "drafter", **signed},
                {"name": "teller", "kind": "cap"},
            ],
        }
    )


class Ground:
    """The received messages, and the hand that sends out what may go out."""

    def __init__(self, desk: Desk, hand: Hand, announced: list[int], by: Signer) -> None:
        self.desk, self.web, self.hand, self.announced, self.by = desk, desk.web, hand, announced, by

    async def receive(
        self, alert: Alert, source: str = "met", *, signed: bool = True, orange: bool = False
    ) -> Incoming:
        written = xml(alert)
        if orange:
            written = written.replace(RED, ORANGE)
        return await self.desk.receive(sign(written, self.by) if signed else written, source)

    async def events(self) -> list[tuple[str, str]]:
        async with self.web.database.connection() as connection:
            rows = await connection.fetch("SELECT state, step FROM rule_event ORDER BY id")
        return [(row["state"], row["step"]) for row in rows]

    async def alerts(self) -> list[tuple[str, str]]:
        async with self.web.database.connection() as connection:
            rows = await connection.fetch("SELECT state, msg_type FROM alert ORDER BY id")
        return [(row["state"], row["msg_type"]) for row in rows]


@pytest.fixture
async def ground(make_web: Make, context: Context, met: Signer) -> Ground:
    announced: list[int] = []

    async def announce(alert_id: int) -> None:
        announced.append(alert_id)

    send = issuing_by_rule(context.database, context.clock, context.office, open_units)
    hand = Hand(context.database, context.clock, context.office, send, announce, frozenset())
    intake = replace(context.intake, relay=Relaying(hand))
    return Ground(Desk(await make_web(replace(context, intake=intake))), hand, announced, met)


async def test_what_is_named_and_signed_goes_out_at_once_and_its_successors_follow(ground: Ground) -> None:
    first = await ground.receive(foreign())
    assert (first.state, first.alert_id, ground.announced) == (State.DRAFTED, 1, [1])
    assert "已自动发出" in first.note
    assert "台风、红色" in first.note
    update = following(foreign(), "QX_2", MsgType.UPDATE)
    later = await ground.receive(update)
    assert "第 1 条" in later.note
    cancel = following(update, "QX_3", MsgType.CANCEL)
    last = await ground.receive(replace(cancel, infos=()))
    assert last.alert_id == 3
    assert await ground.events() == [("issued", "raise"), ("issued", "rise"), ("issued", "clear")]
    assert await ground.alerts() == [("issued", "Alert"), ("issued", "Update"), ("issued", "Cancel")]
    assert await ground.web.value("SELECT count(DISTINCT lineage) FROM alert") == 1
    assert await ground.web.value("SELECT array_agg(superseded_by IS NULL ORDER BY id) FROM alert") == [
        False,
        False,
        True,
    ]
    assert await ground.web.value("SELECT created_by FROM alert WHERE id = 1") == "auto:sources"
    actions = "SELECT array_agg(action ORDER BY seq) FROM audit_entry WHERE subject = 'source:met' AND alert_id = 1"
    assert await ground.web.value(actions) == ["incoming.act", "alert.issue"]


async def test_what_is_held_goes_out_after_its_time_unless_it_is_vetoed(ground: Ground) -> None:
    first = await ground.receive(foreign(), orange=True)
    assert "除非值班员否决" in first.note
    console = await signed_in(ground.web, "officer", ("author", DISTRICT), ("approver", DISTRICT))
    await console.get("/alerts")
    assert "否决，不发出" in console.text
    await console.get(f"/incoming/{first.id}?lang=en")
    assert "Held, then sent out" in console.text
    ground.web.clock.advance(299)
    assert await ground.hand.release() == 0
    ground.web.clock.advance(1)
    assert await ground.hand.release() == 1
    assert (await ground.alerts(), await ground.events()) == ([("issued", "Alert")], [("issued", "raise")])
    assert ground.announced == [1]
    second = await ground.receive(foreign("QX_9", regions=(OTHER_TOWN,)), orange=True)
    number = await ground.web.value("SELECT id FROM rule_event WHERE state = 'held'")
    assert (await console.post(f"/rules/events/{number}/veto")).status == 303
    ground.web.clock.advance(3600)
    assert await ground.hand.release() == 0
    assert (await ground.alerts())[1] == (AlertState.DRAFT, "Alert")
    assert second.draft_key is not None
    vetoed = "SELECT subject FROM audit_entry WHERE action = 'rules.veto'"
    assert await ground.web.value(vetoed) == "source:met"


async def test_what_is_cancelled_or_updated_while_it_is_held_does_not_go_out(ground: Ground) -> None:
    await ground.receive(foreign(), orange=True)
    update = await ground.receive(following(foreign(), "QX_2", MsgType.UPDATE), orange=True)
    assert await ground.events() == [("over", "raise"), ("held", "rise")]
    forged = following(foreign("QX_2"), "QX_3", MsgType.CANCEL)
    unsigned = await ground.receive(forged, signed=False)
    assert (unsigned.state, "否决" in unsigned.note) == (State.WAITING, True)
    other = await ground.receive(replace(forged, identifier="QX_4"), "drafter")
    assert other.state == State.WAITING
    drill = await ground.receive(replace(forged, identifier="QX_6", status=Status.EXERCISE))
    assert drill.state == State.WAITING
    assert (await ground.events())[-1] == ("held", "rise")
    cancel = await ground.receive(replace(forged, identifier="QX_5"))
    assert (cancel.state, "已撤回" in cancel.note) == (State.NOTED, True)
    ground.web.clock.advance(3600)
    assert await ground.hand.release() == 0
    assert {state for state, _ in await ground.alerts()} == {AlertState.DRAFT}
    assert update.draft_key is not None


async def test_an_update_that_may_not_go_out_takes_back_what_is_held_and_that_is_told_at_once(ground: Ground) -> None:
    await ground.receive(foreign(), orange=True)
    update = sign(xml(following(foreign(), "QX_2", MsgType.UPDATE)).replace(RED, "蓝色".encode()), ground.by)
    assert (await ground.desk.receive(update, "met")).state == State.DRAFTED
    assert await ground.events() == [("failed", "raise")]
    ground.web.clock.advance(3600)
    assert await ground.hand.release() == 0
    console = await signed_in(ground.web, "officer", ("author", DISTRICT))
    await console.get("/alerts")
    assert "更新没有自动发出" in console.text
    await console.get("/alerts?lang=en")
    assert "the Update did not go out by itself" in console.text


class Running:
    """A clock that goes on between two looks at it, as clocks do."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        self._clock.advance(0.001)
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


async def test_what_is_taken_back_without_a_successor_is_told_however_long_that_took(ground: Ground) -> None:
    object.__setattr__(ground.hand, "clock", Running(ground.web.clock))
    await ground.receive(foreign(), orange=True)
    update = sign(xml(following(foreign(), "QX_2", MsgType.UPDATE)).replace(RED, "蓝色".encode()), ground.by)
    assert (await ground.desk.receive(update, "met")).state == State.DRAFTED
    assert await ground.events() == [("failed", "raise")]


async def test_nothing_goes_out_that_is_unsigned_a_drill_or_not_placed_wholly(ground: Ground) -> None:
    partly = (
        Area("第1镇", geocodes=(NamedValue("GB/T 2260", TOWN),)),
        Area("东部沿海", geocodes=(NamedValue("EMMA_ID", "CN999"),)),
    )
    plain = replace(foreign("QX_2", regions=(OTHER_TOWN,)), sent=NOW + timedelta(minutes=5))
    half = replace(plain, identifier="QX_3", infos=(replace(plain.infos[0], areas=partly),))
    named = replace(plain, identifier="QX_6", infos=(replace(plain.infos[0], areas=(Area("第2镇"),)),))
    for message, word in (
        (await ground.receive(replace(named, sent=NOW + timedelta(minutes=9))), "按名称判断"),
        (await ground.receive(foreign(), signed=False), "没有有效的签名"),
        (await ground.receive(half), "区域没有全部识别"),
        (await ground.receive(replace(plain, identifier="QX_4", status=Status.EXERCISE)), "是演练或测试"),
        (await ground.receive(replace(plain, identifier="QX_5", status=Status.TEST)), "是演练或测试"),
    ):
        assert message.state == State.DRAFTED, message.note
        assert word in message.note
        assert "改为起草" in message.note
    assert (await ground.alerts(), await ground.events(), ground.announced) == ([], [], [])


async def test_other_hazards_and_colours_are_only_drafted_or_told_as_the_settings_say(ground: Ground) -> None:
    blue = await ground.desk.receive(sign(xml(foreign()).replace(RED, "蓝色".encode()), ground.by), "met")
    assert (blue.state, blue.note) == (State.DRAFTED, "")
    rain = xml(foreign("QX_2", regions=(OTHER_TOWN,))).replace("台风".encode(), "暴雨".encode())
    rain = rain.replace(b"11B01", b"11B03")
    told = await ground.desk.receive(sign(rain, ground.by), "met")
    assert (told.hazard, told.state) == ("rainstorm", State.WAITING)
    assert "提请值班员" in told.note
    assert await ground.alerts() == []


async def test_what_an_officer_has_put_out_is_not_changed_by_a_machine(ground: Ground) -> None:
    drafted = await ground.receive(foreign(), "drafter")
    number = await relayed(ground.desk, drafted)
    cancel = await ground.receive(following(foreign(), "QX_2", MsgType.CANCEL))
    assert (cancel.state, cancel.alert_id) == (State.DRAFTED, None)
    assert "经过值班员之手" in cancel.note
    assert f"第 {number} 条" in cancel.note


async def test_a_source_that_may_do_more_does_it_though_another_told_first(ground: Ground) -> None:
    first = await ground.receive(foreign(), "drafter")
    again = await ground.receive(replace(foreign("NMC_1"), sender="nmc", sent=NOW + timedelta(seconds=20)))
    assert again.state == State.REPEATED
    first = await ground.desk.one(first.id)
    assert first.alert_id == 1
    assert "来源 met 也报了同一事件" in first.note
    assert "已自动发出" in first.note
    assert await ground.web.value("SELECT count(*) FROM draft_form") == 1
    held = foreign("NMC_3", regions=(OTHER_TOWN,), sent=NOW + timedelta(hours=1))
    await ground.receive(replace(held, identifier="QX_7"), "drafter", orange=True)
    assert (await ground.receive(held, orange=True)).state == State.REPEATED
    assert (await ground.events())[-1] == ("held", "raise")
    gone = await ground.receive(following(held, "NMC_4", MsgType.CANCEL), orange=True)
    assert "已撤回" in gone.note
    third = await ground.receive(replace(foreign("NMC_2"), sender="cma", sent=NOW + timedelta(seconds=30)))
    assert (third.state, (await ground.alerts())[0]) == (State.REPEATED, ("issued", "Alert"))


async def test_what_stands_in_the_way_is_told_at_once_and_the_draft_stays(ground: Ground) -> None:
    message = await ground.receive(foreign(expires=NOW + timedelta(hours=800)))
    assert (message.state, message.alert_id) == (State.DRAFTED, None)
    assert "没有自动发出" in message.note
    assert (await ground.events(), await ground.alerts()) == ([("failed", "raise")], [])
    console = await signed_in(ground.web, "officer", ("author", DISTRICT))
    await console.get("/alerts")
    assert "小时数" in console.text
    english = await ground.web.ask("GET", f"/api/v1/incoming/{message.id}", headers={"Accept-Language": "en"})
    assert "did not go out by itself: The message is faulty" in (await english.json())["message"]["note"]


async def test_who_tells_first_without_proof_does_not_silence_who_proves_it(ground: Ground) -> None:
    lie = replace(foreign(), infos=(replace(foreign().infos[0], description="没有台风。"),))
    await ground.receive(lie, "teller", signed=False)
    await ground.receive(foreign())
    assert await ground.alerts() == [("issued", "Alert")]
    document = await ground.web.value("SELECT document FROM alert WHERE id = 1")
    assert "没有台风" not in document
    early = foreign("QX_8", regions=(OTHER_TOWN,), sent=NOW + timedelta(hours=1))
    await ground.receive(following(early, "QX_9", MsgType.CANCEL), "teller", signed=False)
    await ground.receive(early)
    assert await ground.alerts() == [("issued", "Alert"), ("issued", "Alert")]
    cancel = following(foreign(), "QX_2", MsgType.CANCEL)
    assert (await ground.receive(cancel, "teller", signed=False)).state == State.WAITING
    genuine = await ground.receive(cancel)
    assert genuine.alert_id == 3
    assert (await ground.alerts())[-1] == ("issued", "Cancel")


@pytest.mark.parametrize("deed", [MsgType.UPDATE, MsgType.CANCEL])
@pytest.mark.parametrize("drill", [True, False], ids=["a drill", "unsigned"])
async def test_what_waits_for_an_officer_is_not_taken_away_by_what_proves_less(
    ground: Ground, deed: MsgType, drill: bool
) -> None:
    unplaced = foreign(area=Area("东部沿海"))
    first = await ground.receive(unplaced)
    assert first.state == State.WAITING
    after = following(unplaced, "QX_2", deed)
    weak = replace(after, status=Status.EXERCISE) if drill else after
    answer = await ground.receive(weak, "teller", signed=drill)
    assert (await ground.desk.one(first.id)).state == State.WAITING
    assert answer.state == State.WAITING
    strong = replace(after, identifier="QX_3", sent=after.sent + timedelta(minutes=5))
    await ground.receive(strong)
    assert (await ground.desk.one(first.id)).state == State.REPLACED


async def test_a_drill_does_not_forestall_what_is_real(ground: Ground) -> None:
    drill = replace(following(foreign(), "QX_2", MsgType.CANCEL), status=Status.EXERCISE)
    await ground.receive(drill)
    await ground.receive(foreign())
    assert await ground.alerts() == [("issued", "Alert")]


async def test_a_fault_in_the_middle_leaves_nothing_half_done(ground: Ground) -> None:
    async def broken(_alert: int, _by: Any) -> Any:
        raise RuntimeError("a fault nobody thought of")

    relay = Relaying(replace(ground.hand, issue=broken))
    document = sign(xml(foreign()), ground.by)
    await LedgerShelf(ground.web.database, ground.web.clock, "met").keep([Item(document)])
    with pytest.raises(RuntimeError):
        await replace(ground.web.context.intake, relay=relay).settle()
    assert (await ground.alerts(), await ground.events()) == ([], [])
    await ground.desk.settle()
    assert await ground.alerts() == [("issued", "Alert")]


def test_a_source_that_may_send_out_needs_signatures(settings: Settings, context: Context) -> None:
    built = {name: source for name, (_, source) in context.intake.sources.items()}
    require_trustworthy(settings, Registry.installed(), built)
    met = replace(settings.source_named("met"), certificates=())
    with pytest.raises(SettingsError, match="met"):
        require_trustworthy(replace(settings, sources=(met,)), Registry.installed(), built)
