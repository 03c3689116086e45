"""What a platform above has us broadcast: kept, judged and brought before an officer, and it is told how it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from broadcaster import adapters
from broadcaster.clock import ManualClock
from broadcaster.dispatch.inbox import GatewayInbox
from broadcaster.errors import SettingsError
from broadcaster.intake.admitting import require_trustworthy
from broadcaster.intake.becoming import State
from broadcaster.intake.standing import Standings
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.registry import Registry
from broadcaster.settings import Settings, settings_from
from broadcaster.testing.memory import MemoryJournal
from broadcaster.web.context import Callback, Context
from channels.loudspeaker.ebd import ebd, package
from channels.loudspeaker.ebd.documents import (
    EBM,
    EBDResponse,
    EBMStateRequest,
    EBMStateResponse,
    MsgBasicInfo,
    MsgContent,
    RelatedInfo,
    WhichEBM,
)
from channels.loudspeaker.ebd.plugin import EbdPlugin
from tests.harness.alerts import NOW
from tests.harness.console import signed_in
from tests.harness.desk import Desk
from tests.harness.ebd_keys import OURS
from tests.harness.ebd_platform import FORM, PEER, PROFILE, Platform, but, gateway, platform, posted, result, said
from tests.harness.web import DISTRICT, TOWN, Make, Web
from tests.integration.intake.test_becoming import relayed

SOURCE_NAME, GATEWAY = "province", "speakers"
SOURCE = {"name": SOURCE_NAME, "kind": "ebd", "gateway": GATEWAY, "trust": "draft"}
ORDER = f"{PEER}202608100001"


def order(ebmid: str = ORDER, *, kind: str = "1", related: str = "", **content: Any) -> EBM:
    basic = MsgBasicInfo(
        msg_type=kind,
        sender_name="宁波市应急广播",
        send_time=NOW,
        event_type="11B01",
        severity=content.pop("severity", "1"),
        start_time=NOW,
        end_time=NOW + timedelta(hours=6),
    )
    given = {
        "msg_title": "台风红色预警",
        "msg_desc": "台风今夜登陆，请留在室内。",
        "area_code": f"{TOWN}000",
        **content,
    }
    return EBM(
        version="1",
        ebmid=ebmid,
        related=RelatedInfo(ebmid=related) if related else None,
        basic=basic,
        content=MsgContent(language_code="zho", **given),
    )


@pytest.fixture
def settings() -> Settings:
    return settings_from(
        {
            "district": {"code": DISTRICT, "name": "鄞州区"},
            "web": {"public_url": "http://127.0.0.1:8480"},
            "sources": [SOURCE, {"name": "teller", "kind": "cap"}],
        }
    )


@pytest.fixture
async def peer() -> AsyncIterator[Platform]:
    async with platform() as found:
        yield found


class Above:
    """The platform above, before an application under test."""

    def __init__(self, web: Web, made: GatewaySettings, plugin: EbdPlugin) -> None:
        self.web, self.desk, self.journal = web, Desk(web), MemoryJournal()
        tell = partial(plugin.report, made, self.journal)
        self.standings = Standings(web.database, web.clock, SOURCE_NAME, tell)
        self._number = 0

    async def say(self, body: Any, **how: Any) -> tuple[int, Any]:
        """Bring a document to our door; the status of HTTP, and the body of the answer."""
        self._number += 1
        content = posted(said(body, at=self.web.clock.now(), number=self._number, **how))
        answer = await self.web.client.post(f"/callbacks/{GATEWAY}", data=content, headers={"Content-Type": FORM})
        if answer.status != 200:
            return answer.status, None
        await self.desk.settle()
        return 200, ebd.read(package.unpack([await answer.read()]).document, PROFILE).body

    async def state(self, ebmid: str = ORDER) -> str:
        """What we say when we are asked."""
        _, body = await self.say(EBMStateRequest(ebm=WhichEBM(ebmid=ebmid)))
        return body.brd_state_code if isinstance(body, EBMStateResponse) else f"response {body.result_code}"


@pytest.fixture
async def above(make_web: Make, context: Context, clock: ManualClock, peer: Platform) -> Above:
    made = replace(gateway(peer.port), name=GATEWAY, channel=Medium.LOUDSPEAKER, rehearsal=False)
    plugin = EbdPlugin(clock.now)
    inbox = GatewayInbox.__new__(GatewayInbox)  # nothing of this kind is brought here
    web = await make_web(replace(context, callbacks={GATEWAY: Callback(made, plugin, inbox)}))
    return Above(web, made, plugin)


async def test_an_order_becomes_a_draft_and_its_platform_is_told_how_it_stands(above: Above, peer: Platform) -> None:
    status, answer = await above.say(order())
    assert (status, answer.result_code) == (200, "1")
    message = await above.desk.one(1)
    assert (message.state, message.source, message.signature) == (State.DRAFTED, SOURCE_NAME, "good")
    assert (message.identifier, message.hazard, message.colour, message.regions) == (ORDER, "typhoon", "red", (TOWN,))
    assert "<EBMID>" in (await above.web.value("SELECT convert_from(document, 'utf-8') FROM incoming"))
    assert await above.standings.look()
    assert not await above.standings.look()
    number = await relayed(above.desk, message)
    assert await above.state() == "2"
    while await above.standings.look():
        pass
    await above.web.value("UPDATE chunk SET state = 2, households = 10, reached = 9, unreached = 1")
    while await above.standings.look():
        pass
    reports = [one.body for one in peer.of("EBMStateResponse")]
    assert [one.brd_state_code for one in reports if isinstance(one, EBMStateResponse)] == ["1", "2", "3"]
    last = reports[-1]
    assert isinstance(last, EBMStateResponse)
    assert last.coverage is not None
    assert (last.coverage.area_code, float(last.coverage.coverage_rate or 0) > 0) == (f"{TOWN}000", True)
    cancel = order(f"{PEER}202608100002", kind="2", related=ORDER)
    await above.say(cancel)
    lying = await above.desk.one(2)
    assert (lying.state, lying.msg_type) == (State.DRAFTED, "Cancel")
    assert f"第 {number} 条" in lying.note
    await relayed(above.desk, lying)
    assert await above.state() == "5"


async def test_what_comes_again_is_one_order_and_what_lies_elsewhere_has_failed(above: Above) -> None:
    await above.say(order(area_code="999999999999"))
    await above.say(order(area_code="999999999999"))
    first, again = await above.desk.one(1), await above.desk.one(2)
    assert (first.state, again.state, again.same_as) == (State.OUTSIDE, State.REPEATED, 1)
    assert await above.state() == "4"
    assert await above.state(f"{PEER}202608109999") == "response 5"


async def test_a_forged_order_is_no_message_and_an_unsigned_one_is_known_as_such(
    above: Above, make_web: Make, peer: Platform
) -> None:
    assert (await above.say(order(), secret=OURS))[0] == 401
    assert (await above.say(order(), secret=None))[0] == 401
    assert await above.web.value("SELECT count(*) FROM incoming") == 0
    known = above.web.context.callbacks[GATEWAY]
    lenient = replace(gateway(peer.port, verify="prefer"), name=GATEWAY, rehearsal=False)
    callbacks = {GATEWAY: replace(known, gateway=lenient)}
    other = Above(await make_web(replace(above.web.context, callbacks=callbacks)), lenient, EbdPlugin())
    other.web.clock.advance(1)
    await other.say(order(), secret=None)
    assert (await other.desk.one(1)).signature == "unchecked"


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"severity": "15"}, "Test"), ({"kind": "3"}, "Exercise"), ({"msg_title": "【演练】台风"}, "Exercise")],
)
async def test_a_drill_from_above_is_never_taken_for_real(above: Above, changes: Any, status: str) -> None:
    await above.say(order(**changes))
    message = await above.desk.one(1)
    assert message.status == status
    assert (await above.desk.typed(message))["status"] == status


async def test_a_platform_that_does_not_hear_is_told_again(above: Above, peer: Platform) -> None:
    peer.answers = but("EBMStateResponse", result("4", "签名失败"))
    await above.say(order())
    assert await above.standings.look()
    assert not await above.standings.look()
    assert "签名" in await above.web.value("SELECT answer_reason FROM incoming")
    peer.answers = but("EBMStateResponse", result("1"))
    above.web.clock.advance(10)
    assert await above.standings.look()
    assert await above.web.value("SELECT state_told FROM incoming") == "waiting"


async def test_without_a_source_behind_the_gateway_it_is_answered_that_nobody_takes_it(
    make_web: Make, above: Above
) -> None:
    intake = replace(above.web.context.intake, sources={})
    other = Above(
        await make_web(replace(above.web.context, intake=intake)),
        above.web.context.callbacks[GATEWAY].gateway,
        EbdPlugin(),
    )
    status, answer = await other.say(order())
    assert isinstance(answer, EBDResponse)
    assert (status, answer.result_code) == (200, "0")
    assert await other.web.value("SELECT count(*) FROM incoming") == 0


async def test_the_officer_sees_the_order_on_the_page(above: Above) -> None:
    await above.say(order())
    console = await signed_in(above.web, "officer", ("author", DISTRICT))
    await console.get("/incoming/1")
    assert "台风红色预警" in console.text
    assert "签名有效" in console.text


@pytest.mark.parametrize("wrong", [{"gateway": ""}, {"address": "http://x/"}, {"answer_to": "http://x/"}, {"more": 1}])
def test_what_the_source_cannot_use_is_told_at_start(wrong: dict[str, str]) -> None:
    made = settings_from({"district": {"code": DISTRICT, "name": "鄞州区"}, "sources": [{**SOURCE, **wrong}]})
    with pytest.raises(SettingsError, match=SOURCE_NAME):
        adapters.sources(made.sources)


def test_a_source_behind_no_gateway_or_a_drills_fails_at_start(settings: Settings, context: Context) -> None:
    sources = {name: source for name, (_, source) in context.intake.sources.items()}
    registry = Registry.installed()
    real = replace(gateway(), name=GATEWAY, rehearsal=False)
    require_trustworthy(replace(settings, gateways=(real,)), registry, sources)
    for gateways in ((), (replace(real, rehearsal=True),), (replace(real, name="other"),)):
        with pytest.raises(SettingsError, match=SOURCE_NAME):
            require_trustworthy(replace(settings, gateways=gateways), registry, sources)
