"""The gateways' pages: how each fares, what it said last, pausing it, trying it; nothing of it for anybody else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from broadcaster.clock import ManualClock
from broadcaster.dispatch import lineup, slots, trials
from broadcaster.dispatch.lineup import Lineup, Word
from broadcaster.journal import GatewayJournal, Telling
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.settings import Settings, settings_from
from broadcaster.web.context import Context
from tests.harness.web import DISTRICT, TOWN, Make, Web
from tests.integration.web.test_web_decisions import post, sign_in

GATEWAYS = [
    {"name": "town-sms", "channel": "sms", "driver": "rehearsal", "rate": 50, "slots": 2, "address": "tcp:127.0.0.1:9"},
    {
        "name": "drill-sms",
        "channel": "sms",
        "driver": "rehearsal",
        "rate": 5,
        "rehearsal": True,
        "address": "tcp:127.0.0.1:9",
    },
]
PAGE, DRILL = "/gateways/town-sms", "/gateways/drill-sms"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def settings() -> Settings:
    return settings_from(
        {
            "district": {"code": DISTRICT, "name": "鄞州区"},
            "web": {"public_url": "http://127.0.0.1:8480"},
            "gateways": GATEWAYS,
        }
    )


async def speaks(web: Web, *, why: str = "", up: bool = True, given: int = 600) -> None:
    """A worker holds the slots of the first gateway and says how it fares."""
    settings = web.context.settings.gateways[0]
    async with web.database.connection() as connection:
        gateway = await slots.register(connection, settings)
        await slots.hold(connection, gateway, "w-1", 60, alive=1, mine={})
    line = Lineup(web.database, "w-1", [gateway])
    state = "closed" if up else "open"
    await line.beat([Word(gateway.id, 1, up, state, why, idle=True, given=given, connected=up)])


async def test_only_an_administrator_of_the_whole_district_gets_in(web: Web) -> None:
    paths = ("/gateways", "/gateways/-/status", PAGE, f"{PAGE}/status")
    for role, region in (("author", DISTRICT), ("approver", DISTRICT), ("administrator", TOWN)):
        await sign_in(web, role, region)
        assert [(await web.client.get(path)).status for path in paths] == [403] * 4
        for do in ("pause", "resume", "trial"):
            assert (await web.client.post(f"{PAGE}/{do}", data={})).status == 403
    web.client.session.cookie_jar.clear()
    assert [(await web.client.get(path, allow_redirects=False)).status for path in paths] == [302] * 4


async def test_without_a_worker_the_page_says_so(web: Web) -> None:
    await sign_in(web)
    assert "没有连接" in await (await web.client.get("/gateways")).text()
    assert "还没有发送进程" in await (await web.client.get(PAGE)).text()
    assert (await web.client.get("/gateways/nowhere")).status == 404


async def test_an_installation_without_gateways_has_an_empty_page(make_web: Make, context: Context) -> None:
    web = await make_web(replace(context, settings=replace(context.settings, gateways=())))
    await sign_in(web)
    assert "还没有网关" in await (await web.client.get("/gateways")).text()


async def test_the_pages_show_connections_rate_window_trouble_and_what_waits(web: Web) -> None:
    await web.issued()
    await web.fan_out()
    await sign_in(web)
    await speaks(web)  # it holds for three seconds
    shown = await (await web.client.get("/gateways")).text()
    assert "1 / 2" in shown
    assert re.search(r"(9\.\d|10\.0) / 50", shown), "600 in the last minute, and a little later"
    assert re.search(r"渠道待发</dt><dd>[1-9]", shown)
    one = await (await web.client.get(PAGE)).text()
    for word in ("w-1", "已连接", "1,000", "没有进程"):
        assert word in one, word
    await speaks(web, up=False, why=f"no route {SCRIPT}")
    part = await (await web.client.get(f"{PAGE}/status")).text()
    assert "<html" not in part
    assert "no route &lt;script&gt;" in part
    assert SCRIPT not in part


async def test_the_last_exchanges_of_every_process_are_shown_the_newest_first(web: Web, clock: ManualClock) -> None:
    for process, said in (("w-1", "SUBMIT 1"), ("w-2", f"SUBMIT 2 {SCRIPT}")):
        journal = GatewayJournal(clock)
        for number in range(100):
            journal.note("→", f"{said} {number}")
        clock.advance(1)
        tell = Telling({"town-sms": journal, "drill-sms": GatewayJournal(clock)})
        async with web.database.connection() as connection:
            await tell(connection, process)
            await tell(connection, process)
    await sign_in(web)
    shown = await (await web.client.get(f"{PAGE}/status")).text()
    assert shown.index("SUBMIT 2") < shown.index("99")
    assert SCRIPT not in shown
    assert shown.count("SUBMIT") == 60, "bounded"
    assert await web.value("SELECT count(*) FROM gateway_exchange") == 2


async def test_pausing_asks_why_is_seen_by_the_next_shift_and_audited_once(web: Web) -> None:
    await speaks(web)
    await sign_in(web)
    without = await post(web, PAGE, f"{PAGE}/pause", note=" ")
    assert without.status == 422
    assert 'id="fault-note"' in await without.text()
    for _ in range(2):
        page = DRILL  # its form has the same token; this one's has gone after the first time
        answer = await post(web, page, f"{PAGE}/pause", note=f"光缆断 {SCRIPT}")
        assert answer.headers["Location"] == f"{PAGE}?said=gateway-paused"
    shown = await (await web.client.get(f"{PAGE}?said=gateway-paused")).text()
    assert "网关已暂停。" in shown
    assert "光缆断 &lt;script&gt;" in shown
    assert SCRIPT not in shown
    assert (await post(web, PAGE, f"{PAGE}/resume")).status == 303
    assert (await post(web, PAGE, f"{PAGE}/resume")).status == 303
    actions = await web.value("SELECT array_agg(action ORDER BY seq) FROM audit_entry WHERE action LIKE 'gateway.%'")
    assert actions == ["gateway.pause", "gateway.resume"]


async def test_a_paused_gateway_leads_no_more(web: Web) -> None:
    await speaks(web)
    await sign_in(web)
    await post(web, PAGE, f"{PAGE}/pause", note="x")
    async with web.database.connection() as connection:
        gateway = await slots.register(connection, web.context.settings.gateways[0])
    line = Lineup(web.database, "w-2", [gateway])
    await line.beat([])
    assert line.standing(gateway) == lineup.Paused()


def trial(**fields: Any) -> dict[str, Any]:
    return {"key": "k" * 24, "sure": "yes", "address": "13800138000", **fields}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"address": ""}, "address"),
        ({"address": "12345"}, "address"),
        ({"address": "0574-88123456"}, "address"),
        ({"address": SCRIPT}, "address"),
        ({"sure": ""}, "sure"),
    ],
)
async def test_a_trial_that_cannot_be_sent_says_why_at_its_field(web: Web, fields: dict[str, str], field: str) -> None:
    await sign_in(web)
    answer = await post(web, PAGE, f"{PAGE}/trial", **trial(**fields))
    shown = await answer.text()
    assert answer.status == 422
    assert f'id="fault-{field}"' in shown
    assert SCRIPT not in shown
    assert await web.value("SELECT count(*) FROM gateway_trial") == 0


async def test_a_trial_waits_for_a_worker_and_is_one_however_often_it_is_sent(web: Web, clock: ManualClock) -> None:
    await sign_in(web)
    for _ in range(2):
        answer = await post(web, PAGE, f"{PAGE}/trial", **trial())
        assert answer.headers["Location"] == f"{PAGE}#trials"
    assert await web.value("SELECT count(*) FROM gateway_trial") == 1
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'gateway.trial'") == 1
    detail = await web.value("SELECT detail FROM audit_entry WHERE action = 'gateway.trial'")
    assert "13800138000" not in detail
    another = await post(web, PAGE, f"{PAGE}/trial", **trial(key="o" * 24))
    assert another.status == 422
    assert "还没有结果" in await another.text()
    assert "等待发送" in await (await web.client.get(f"{PAGE}/status")).text()
    clock.advance(61)
    assert "没有发出" in await (await web.client.get(f"{PAGE}/status")).text()
    assert (await post(web, DRILL, f"{DRILL}/trial", **trial(key="d" * 24, sure=""))).status == 303, "a drill's is free"
    assert await web.value("SELECT rehearsal FROM gateway_trial ORDER BY id DESC LIMIT 1") is True


async def test_a_trial_without_its_key_is_refused(web: Web) -> None:
    await sign_in(web)
    assert (await post(web, PAGE, f"{PAGE}/trial", **trial(key="no"))).status == 400


@pytest.mark.parametrize("medium", list(Medium))
async def test_the_words_of_a_trial_say_what_it_is(medium: Medium) -> None:
    class Speaker:
        said = ""

        async def build(self, text: str, medium: Medium, **_: Any) -> Any:
            self.said = text

    for rehearsal in (False, True):
        gateway = GatewaySettings("g", medium, "straw", rate=1, rehearsal=rehearsal)
        speaker: Any = Speaker()
        made = await trials.envelope(5, "a", gateway, "鄞州区", speaker, datetime.now(UTC))
        assert "测试" in made.message.text
        assert "不是预警" in made.message.text
        assert made.key.alert == trials.NO_ALERT
        assert "演练" not in made.message.text or rehearsal
