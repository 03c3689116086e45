"""Message templates and policies: what an administrator decides holds from the next alert on, if it can."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import ClientResponse

from broadcaster.alerts.colour import Colour
from broadcaster.issuing import in_force
from tests.harness.web import DISTRICT, PASSWORD, TOWN, Web

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_SEEN = re.compile(r'name="seen" value="(\d+)"')
TYPHOON = "/templates/typhoon/wording.zh-CN.j2"
LINE = "{% extends layout %}\n{% block aid %}请到村文化礼堂避风。{% endblock %}\n"


async def sign_in(web: Web, role: str = "administrator", region: str = DISTRICT) -> None:
    web.client.session.cookie_jar.clear()
    await web.token(role, region)
    form = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region}", "password": PASSWORD, "form_token": _TOKEN.findall(form)[0]}
    answer = await web.client.post("/sign-in", data=fields, allow_redirects=False)
    assert answer.status == 303


async def post(web: Web, page: str, path: str = "", **fields: Any) -> ClientResponse:
    """Send the form of `page` (to `path` if that is another) with its token and the version that it shows."""
    text = await (await web.client.get(page)).text()
    seen = _SEEN.findall(text)
    given = {"form_token": _TOKEN.findall(text)[0], "seen": seen[0] if seen else "0", **fields}
    return await web.client.post(path or page, data=given, allow_redirects=False)


async def frozen(web: Web, alert_id: int, channel: str = "sms") -> str:
    text: str = await web.value(
        "SELECT body::text FROM message WHERE alert_id = $1 AND channel = $2 AND purpose = 'public'"
        " AND language = 'zh-CN'",
        alert_id,
        channel,
    )
    return text


def policy(**fields: str) -> dict[str, str]:
    return {
        "h0_sms": "yes",
        "h0_wait": "45",
        "u0_after": "0",
        "u0_action": "notify_primary",
        "u0_sms": "yes",
        "u1_after": "90",
        "u1_action": "duty_desk",
        "role_village_head": "yes",
        **fields,
    }


@pytest.mark.parametrize("path", ["/templates", TYPHOON, "/policies", "/policies/red"])
async def test_only_an_administrator_of_the_whole_district_gets_in(web: Web, path: str) -> None:
    for role, region in (("author", DISTRICT), ("approver", DISTRICT), ("administrator", TOWN)):
        await sign_in(web, role, region)
        assert (await web.client.get(path)).status == 403
        answer = await web.client.post(path, data={"form_token": "x"}, allow_redirects=False)
        assert answer.status in (403, 405)
    web.client.session.cookie_jar.clear()
    assert (await web.client.get(path, allow_redirects=False)).status == 302


async def test_a_template_holds_from_the_next_alert_on_and_an_issued_one_keeps_its_words(web: Web) -> None:
    before = await web.issued()
    await sign_in(web)
    answer = await post(web, TYPHOON, text=LINE, note="汛期")
    assert answer.headers["Location"] == f"{TYPHOON}?said=saved"
    after = await web.issued()
    assert "文化礼堂" in await frozen(web, after)
    assert "文化礼堂" not in await frozen(web, before)
    shown = await (await web.client.get(TYPHOON)).text()
    assert "汛期" in shown
    assert f"administrator-{DISTRICT}" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% extends layout %}{% block action %}{{ plce }}{% endblock %}", "是不是 place"),
        ("{% extends layout %}{% block action %}{{ nonsense }}{% endblock %}", "没有变量 nonsense"),
        ("{% extends layout %}\n{% block action %}", "第 2 行语法不对"),
        ("{% extends layout %}{% for x in '123' %}{{ x }}{% endfor %}", "循环"),
        ("{% extends 'nowhere.j2' %}", "台风红色预警"),
        ("{% extends layout %}{% block issuance %}即日{% endblock %}", "没有写明时间"),
        ("{% extends layout %}{{ place.x.y }}{% block action %}{{ place.x.y }}{% endblock %}", "台风"),
    ],
)
async def test_a_template_that_does_not_work_is_not_saved_and_what_was_typed_is_kept(
    web: Web, text: str, said: str
) -> None:
    await sign_in(web)
    answer = await post(web, TYPHOON, text=text)
    shown = await answer.text()
    assert answer.status == 422
    assert said in shown
    assert 'aria-invalid="true"' in shown
    assert text.splitlines()[0].replace("'", "&#39;")[:20] in shown
    assert await web.value("SELECT count(*) FROM decision") == 0


async def test_the_preview_shows_each_message_with_what_the_lint_says(web: Web) -> None:
    await sign_in(web)
    answer = await post(web, TYPHOON, f"{TYPHOON}/preview", text=LINE, colour="blue", occasion="warning")
    shown = await answer.text()
    assert answer.status == 200
    assert "<html" not in shown
    for word in ("短信 · 群众", "大喇叭", "蓝色", "文化礼堂", "条"):
        assert word in shown, word
    broken = await post(web, TYPHOON, f"{TYPHOON}/preview", text="{{ x }}", colour="no such", occasion="")
    assert "没有变量 x" in await broken.text()


async def test_a_script_in_a_template_is_shown_as_text(web: Web) -> None:
    await sign_in(web)
    text = "{% extends layout %}{% block action %}<script>alert(1)</script>请转移{% endblock %}"
    for do in ("preview", "save"):
        shown = await (await post(web, TYPHOON, text=text, note="<script>alert(2)</script>", do=do)).text()
        assert "<script>alert" not in shown
    for path in (TYPHOON, f"{TYPHOON}/versions/1", "/templates"):
        assert "<script>alert" not in await (await web.client.get(path)).text()


async def test_saving_twice_is_one_version_and_a_stale_form_overwrites_nothing(web: Web) -> None:
    await sign_in(web)
    page = await (await web.client.get(TYPHOON)).text()
    token = _TOKEN.findall(page)[0]
    for _ in range(2):
        answer = await web.client.post(
            TYPHOON, data={"form_token": token, "seen": "0", "text": LINE}, allow_redirects=False
        )
        assert answer.status == 303
    assert await web.value("SELECT count(*) FROM decision") == 1
    other = LINE.replace("避风", "躲避")
    stale = await web.client.post(TYPHOON, data={"form_token": token, "seen": "0", "text": other})
    assert stale.status == 422
    assert "别人保存了新的版本" in await stale.text()
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'templates.manage'") == 1


async def test_versions_show_what_changed_and_can_be_brought_back(web: Web) -> None:
    await sign_in(web)
    await post(web, TYPHOON, text=LINE)
    await post(web, TYPHOON, text=LINE.replace("避风", "躲避"))
    changed = await (await web.client.get(f"{TYPHOON}/versions/2")).text()
    assert "<del>− {% block aid %}请到村文化礼堂避<mark>风</mark>。{% endblock %}</del>" in changed
    assert "<ins>+ {% block aid %}请到村文化礼堂<mark>躲</mark>避。{% endblock %}</ins>" in changed
    first = f"{TYPHOON}/versions/1"
    assert (await post(web, first, f"{TYPHOON}/restore", version="1", seen="2")).status == 303
    assert "避风" in await web.value("SELECT body FROM decision ORDER BY version DESC LIMIT 1")
    answer = await post(web, TYPHOON, f"{TYPHOON}/restore", version="0", seen="3")
    assert answer.headers["Location"].endswith("said=given-up")
    assert await web.value("SELECT body FROM decision ORDER BY version DESC LIMIT 1") is None
    assert (await web.client.get(f"{TYPHOON}/versions/9")).status == 404


@pytest.mark.parametrize(
    "name", ["nowhere/wording.zh-CN.j2", "typhoon/wording.fr.j2", "typhoon/loudspeaker.unit.en.j2"]
)
async def test_a_file_that_no_message_would_look_for_does_not_exist(web: Web, name: str) -> None:
    await sign_in(web)
    assert (await web.client.get(f"/templates/{name}")).status == 404


async def test_a_hazard_may_get_a_layout_of_its_own(web: Web) -> None:
    await sign_in(web)
    path = "/templates/typhoon/sms.public.zh-CN.j2"
    words = "【{{ signature }}】{{ place }}{{ issued }}请转移"
    text = f'{{% extends "typhoon/wording.zh-CN.j2" %}}{{% block text %}}{words}{{% endblock %}}'
    assert (await post(web, path, text=text)).status == 303
    assert "请转移" in await frozen(web, await web.issued())


async def test_a_policy_is_frozen_onto_the_next_alert_and_not_onto_earlier_ones(web: Web) -> None:
    before = await web.issued()
    await sign_in(web)
    answer = await post(web, "/policies/red", note="试行", **policy(u0_times="3", u0_every="90"))
    assert answer.headers["Location"] == "/policies/red?said=saved", await answer.text()
    after = await web.issued()
    waits = "SELECT policy->'households'->0->>'wait' FROM alert WHERE id = $1"
    assert [float(await web.value(waits, one)) for one in (before, after)] == [60, 45]
    async with web.database.connection() as connection:
        office = await in_force(connection, web.context.office)
    assert not office.policy(Colour.RED).loudspeakers
    assert [rung.wait for rung in office.policy(Colour.RED).rungs] == [0, 90, 90, 90]
    page = await (await web.client.get("/policies/red")).text()
    assert 'name="u0_times"' in page
    assert 'value="90"' in page
    assert "最多 3 次，每隔" in await (await web.client.get("/policies")).text()


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"h0_wait": "soon"}, "h0_wait", "0 到 86400"),
        ({"h0_wait": "-1"}, "h0_wait", "0 到 86400"),
        ({"h0_wait": "nan"}, "h0_wait", "0 到 86400"),
        ({"h0_wait": ""}, "h0_wait", "缺少这个设置"),
        ({"h2_wait": "60"}, "h2_channels", "至少要有一个渠道"),
        ({"h0_sms": "", "h0_wait": ""}, "households", "至少要有一步"),
        ({"u1_sms": "yes"}, "u1_channels", "notify_"),
        ({"u0_sms": ""}, "u0_channels", "notify_"),
        ({"u1_action": "fly"}, "u1_action", "之一"),
        ({"u1_after": "1e9"}, "u1_after", "0 到 86400"),
        ({"u0_times": "3"}, "u0_every", "每隔多少秒"),
        ({"u0_times": "many", "u0_every": "60"}, "u0_times", "1 到 10"),
        ({"u1_times": "2", "u1_every": "60"}, "u1_times", "可以重复"),
    ],
)
async def test_a_wrong_policy_comes_back_with_the_fault_at_its_field(
    web: Web, fields: dict[str, str], field: str, said: str
) -> None:
    await sign_in(web)
    answer = await post(web, "/policies/red", **policy(**fields))
    shown = await answer.text()
    assert answer.status == 422
    fault = re.search(rf'id="fault-{field}">([^<]*)<', shown)
    assert fault, shown
    assert said in fault[1]
    assert await web.value("SELECT count(*) FROM decision") == 0
    for name, value in fields.items():
        if name.endswith(("_wait", "_after")) and value:
            assert f'value="{value}"' in shown


async def test_the_timeline_says_what_happens_when_for_the_typed_size(web: Web) -> None:
    await sign_in(web)
    sizes = {"size_households": "120000", "size_units": "7", "size_terminals": "x"}
    answer = await post(web, "/policies/red", "/policies/red/timeline", **policy(**sizes))
    shown = await answer.text()
    assert "120,000" in shown
    assert "1分30秒" in shown
    assert "值班室人工联系" in shown
    assert "没有网关" in shown, "there is no gateway here"
    wrong = await post(web, "/policies/red", "/policies/red/timeline", **policy(h0_wait="x"))
    assert "改正后显示时间线" in await wrong.text()


async def test_a_policy_goes_back_to_the_default_and_to_an_earlier_version(web: Web) -> None:
    await sign_in(web)
    await post(web, "/policies/blue", **policy())
    assert (await post(web, "/policies/blue", "/policies/blue/restore", version="0")).status == 303
    assert (await post(web, "/policies/blue/versions/1", "/policies/blue/restore", version="1", seen="2")).status == 303
    assert '"wait":45' in await web.value("SELECT body FROM decision ORDER BY version DESC LIMIT 1")
    overview = await (await web.client.get("/policies")).text()
    assert "第 3 版" in overview


async def test_the_versions_of_a_policy_stand_side_by_side_with_what_differs_marked(web: Web) -> None:
    await sign_in(web)
    await post(web, "/policies/blue", **policy())
    await post(web, "/policies/blue", **policy(h0_wait="50", loudspeakers="yes"))
    shown = await (await web.client.get("/policies/blue/versions/2")).text()
    before, now = shown.split("上一版")[1].split("第 2 版")
    for side, mark, words in ((before, "del", ("45秒", "不播放")), (now, "ins", ("50秒", "播放"))):
        marked = re.findall(rf"<{mark}>(.*?)</{mark}>", side, re.DOTALL)
        assert len(marked) == len(words), marked
        for piece, word in zip(marked, words, strict=True):
            assert word in piece
    assert "<ins>" not in before
    assert "<del>" not in now


async def test_the_default_typed_again_is_no_decision(web: Web) -> None:
    await sign_in(web)
    shown = await (await web.client.get("/policies/yellow")).text()
    fields = dict(re.findall(r'<input[^>]*name="([hu]\d_\w+)"[^>]*value="([^"]+)"[^>]*checked', shown))
    fields |= dict(re.findall(r'name="([hu]\d_(?:wait|after))"[^>]*value="([^"]*)"', shown))
    fields |= dict.fromkeys(re.findall(r'name="(role_\w+|loudspeakers)" value="yes" checked', shown), "yes")
    for number, action in re.findall(r'name="u(\d)_action".*?value="(\w+)" selected', shown, re.DOTALL):
        fields[f"u{number}_action"] = action
    assert (await post(web, "/policies/yellow", **fields)).status == 303
    assert await web.value("SELECT count(*) FROM decision") == 0


async def test_the_plan_of_a_draft_follows_what_was_decided(web: Web) -> None:
    number = await web.draft()
    before = await (await web.ask("GET", f"/api/v1/alerts/{number}/plan")).json()
    await sign_in(web)
    await post(web, "/policies/red", **policy())
    after = await (await web.ask("GET", f"/api/v1/alerts/{number}/plan")).json()
    assert len(before["forecast"]["steps"]) == 3
    assert [step["wait"] for step in after["forecast"]["steps"]] == [45.0]


async def test_a_policy_that_somebody_else_saved_meanwhile_is_overwritten_only_by_who_was_told(web: Web) -> None:
    await sign_in(web)
    assert (await post(web, "/policies/blue", **policy())).status == 303
    stale = await post(web, "/policies/blue", **policy(seen="0", h0_wait="77"))
    shown = await stale.text()
    assert stale.status == 422
    assert "别人保存了新的版本" in shown
    assert 'value="77"' in shown, "what was typed is not lost"
    assert _SEEN.findall(shown) == ["1", "1"], "the form is of the version that it now goes over, and so is going back"
    assert await web.value("SELECT count(*) FROM decision") == 1
    back = await post(web, "/policies/blue", "/policies/blue/restore", version="0", seen="0")
    assert back.status == 409
    assert (await post(web, "/policies/blue", **policy(seen="1", h0_wait="77"))).status == 303
    assert '"wait":77' in await web.value("SELECT body FROM decision ORDER BY version DESC LIMIT 1")


async def test_two_who_save_a_policy_at_the_same_moment_make_one_version(web: Web) -> None:
    await sign_in(web)
    answers = await asyncio.gather(
        *(post(web, "/policies/blue", **policy(seen="0", h0_wait=str(wait))) for wait in range(50, 54))
    )
    assert sorted(answer.status for answer in answers) == [303, 422, 422, 422]
    assert await web.value("SELECT count(*) FROM decision") == 1
