"""Writing an alert on the page: kept as typed, right or wrong; put forward once; nobody's words are lost."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from aiohttp import ClientResponse

from broadcaster.settings import ApprovalSettings
from broadcaster.web.context import Context
from tests.harness.web import DISTRICT, OTHER_TOWN, PASSWORD, TOWN, Make, Web

SCRIPT = "<script>alert(1)</script>"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_KEY = re.compile(r'action="/compose/([A-Za-z0-9_-]+)"')
_WINDOW = re.compile(r'name="window" value="([^"]*)"')
_VERSION = re.compile(r'id="version" name="version" value="(\d+)"')


class Officer:
    """Somebody signed in at a page of a draft."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.token = self.key = self.window = ""
        self.version = "0"
        self.text = ""

    async def sign_in(self, role: str = "author", region: str = DISTRICT) -> Officer:
        self.web.client.session.cookie_jar.clear()
        await self.web.token(role, region)
        form = await (await self.web.client.get("/")).text()
        fields = {"name": f"{role}-{region or 'all'}", "password": PASSWORD, "form_token": _TOKEN.findall(form)[0]}
        assert (await self.web.client.post("/sign-in", data=fields, allow_redirects=False)).status == 303
        return self

    async def open(self, path: str = "/compose") -> Officer:
        answer = await self.web.client.get(path)
        assert answer.status == 200, await answer.text()
        self.read(await answer.text())
        return self

    def read(self, text: str) -> None:
        self.text = unescape(text)
        self.token, self.key = _TOKEN.findall(text)[0], _KEY.findall(text)[0]
        self.window, self.version = _WINDOW.findall(text)[0], _VERSION.findall(text)[0]

    async def post(self, do: str = "save", **typed: str) -> ClientResponse:
        path = f"/compose/{self.key}/save" if do == "autosave" else f"/compose/{self.key}"
        fields = {"form_token": self.token, "window": self.window, "version": self.version, "status": "Actual"}
        row = await self.value("SELECT typed FROM draft_form WHERE key = $1", self.key)
        kept = json.loads(str(row)) if row else {}
        fields |= {name: kept.get(name, "") for name in ("headline", "description", "instruction")}  # as they stand
        return await self.web.client.post(path, data={**fields, "do": do, **typed}, allow_redirects=False)

    async def value(self, query: str, *values: object) -> object:
        return await self.web.value(query, *values)


def warning(**typed: str) -> dict[str, str]:
    """A complete red typhoon warning for the first town, the texts left to the template."""
    return {
        "hazard": "typhoon",
        "colour": "red",
        "kind": "warning",
        "scope": "Public",
        "valid_hours": "12",
        f"region-{TOWN}": "on",
        **typed,
    }


@pytest.fixture
async def officer(web: Web) -> Officer:
    return await (await Officer(web).sign_in()).open()


async def test_the_template_fills_in_the_texts_and_the_officers_own_stay(officer: Officer) -> None:
    await officer.post("autosave", hazard="typhoon", colour="red", headline="我自己写的标题")
    await officer.open(f"/compose/{officer.key}")
    assert "我自己写的标题" in officer.text
    assert "平均风力12级以上" in officer.text
    await officer.post(hazard="typhoon", colour="blue", headline="我自己写的标题")
    await officer.open(f"/compose/{officer.key}")
    assert "我自己写的标题" in officer.text
    assert "平均风力6级以上" in officer.text
    assert "平均风力12级以上" not in officer.text


async def test_what_is_wrong_is_kept_as_typed_and_said_at_its_field(officer: Officer) -> None:
    answer = await officer.post(**warning(valid_hours="abc", shapes="not a shape"))
    assert answer.status == 303
    await officer.open(f"/compose/{officer.key}")
    assert 'value="abc"' in officer.text
    assert "not a shape" in officer.text
    assert "第 1 行写法不对" in officer.text
    answer = await officer.post("submit", **warning(valid_hours="abc"))
    assert answer.status == 422
    text = unescape(await answer.text())
    assert "小时数" in text[text.index('id="notes-valid_hours"') :][:200]
    assert await officer.value("SELECT count(*) FROM alert") == 0


async def test_a_draft_goes_to_review_once_however_often_the_button_is_pressed(officer: Officer) -> None:
    await officer.post(**warning())
    answers = await asyncio.gather(*(officer.post("submit", **warning()) for _ in range(3)))
    assert {answer.status for answer in answers} == {303}
    assert await officer.value("SELECT count(*) FROM alert WHERE state = 'in_review'") == 1
    again = await officer.web.client.get(f"/compose/{officer.key}", allow_redirects=False)
    assert again.headers["Location"].startswith("/alerts/")


async def test_issuing_for_real_takes_the_areas_name_and_a_reason(officer: Officer) -> None:
    answer = await officer.post("issue", **warning(reason="", confirm="第2镇"))
    assert answer.status == 422
    text = unescape(await answer.text())
    assert "请写明原因" in text
    assert "不一致" in text
    assert await officer.value("SELECT count(*) FROM alert") == 0
    answers = await asyncio.gather(
        *(officer.post("issue", **warning(reason="来不及", confirm="第1镇")) for _ in range(2))
    )
    assert {answer.status for answer in answers} == {303}
    assert await officer.value("SELECT count(*) FROM alert WHERE state = 'issued'") == 1
    assert await officer.value("SELECT count(*) FROM run") == 1
    assert "来不及" in str(await officer.value("SELECT detail FROM audit_entry WHERE action = 'alert.issue'"))
    page = await (await officer.web.client.get("/alerts/1")).text()
    assert "尚待批准" in page


async def test_a_colour_that_needs_no_approval_goes_out_with_the_areas_name_alone(officer: Officer) -> None:
    await officer.post(**warning(colour="blue"))
    assert (await officer.post("issue", **warning(colour="blue", confirm="第2镇"))).status == 422
    assert (await officer.post("issue", **warning(colour="blue", confirm="第1镇"))).status == 303
    assert "尚待批准" not in await (await officer.web.client.get("/alerts/1")).text()


async def test_where_the_office_allows_no_emergency_there_is_no_such_button(make_web: Make, context: Context) -> None:
    settings = replace(context.settings, approval=ApprovalSettings(emergency=False))
    office = replace(context.office, rules=settings.approval.rules)
    web = await make_web(replace(context, settings=settings, office=office))
    officer = await (await Officer(web).sign_in()).open()
    await officer.post(**warning())
    await officer.open(f"/compose/{officer.key}")
    assert 'value="issue"' not in officer.text
    assert 'value="submit"' in officer.text


async def test_a_drill_is_a_drill_to_the_end(officer: Officer) -> None:
    await officer.open("/compose?status=Exercise")
    assert "drill-page" in officer.text
    await officer.post(**warning(status="Exercise"))
    await officer.open(f"/compose/{officer.key}")
    answer = await officer.post("issue", **warning(status="Actual", reason="演练"))
    assert answer.status == 303, await answer.text()
    assert await officer.value("SELECT status FROM alert") == "Exercise"
    assert await officer.value("SELECT rehearsal FROM run") is True


async def test_a_draft_can_change_sides_before_it_goes_out(officer: Officer) -> None:
    answer = await officer.post("status-Exercise", **warning())
    assert answer.status == 303
    await officer.open(f"/compose/{officer.key}")
    assert "drill-page" in officer.text


async def test_two_officers_do_not_overwrite_each_other(officer: Officer) -> None:
    await officer.post(**warning(headline="甲的标题"))
    await officer.open(f"/compose/{officer.key}")
    other = Officer(officer.web)
    await other.sign_in("author", "")
    await other.open(f"/compose/{officer.key}")
    await other.post("autosave", **warning(headline="乙的标题"))
    await officer.sign_in()
    page = await officer.web.client.get("/compose")
    officer.token = _TOKEN.findall(await page.text())[0]
    part = unescape(await (await officer.post("autosave", **warning(headline="甲的新标题"))).text())
    assert "author-" in part
    assert "<del>" in part
    assert await officer.value("SELECT typed->>'headline' FROM draft_form") == "乙的标题"
    answer = await officer.post("save", **warning(headline="甲的新标题"))
    assert answer.status == 409
    assert "甲的新标题" in await answer.text()
    current = str(await officer.value("SELECT version FROM draft_form"))
    assert (await officer.post("mine", current=current, **warning(headline="甲的新标题"))).status == 303
    assert await officer.value("SELECT typed->>'headline' FROM draft_form") == "甲的新标题"


async def test_ones_own_words_can_be_kept_as_a_draft_of_their_own(officer: Officer) -> None:
    await officer.post(**warning(headline="甲"))
    await officer.post("copy", **warning(headline="乙"))
    assert await officer.value("SELECT count(*) FROM draft_form") == 2


async def test_the_area_is_counted_at_once(officer: Officer) -> None:
    await officer.post(**warning())
    part = await (await officer.web.client.get(f"/compose/{officer.key}/audience")).text()
    assert "<dd>6</dd>" in part
    outlook = await (await officer.web.client.get(f"/compose/{officer.key}/outlook")).text()
    assert "短信" in outlook
    assert "责任人第 1 步 短信" in outlook, "the same people are asked again and again"


async def test_a_circle_on_the_map_is_an_area_too(officer: Officer) -> None:
    await officer.post(hazard="typhoon", colour="red", valid_hours="12", shapes="121.5,29.8 1km")
    part = await (await officer.web.client.get(f"/compose/{officer.key}/audience")).text()
    assert "<dd>6</dd>" in part
    answer = await officer.post("submit", hazard="typhoon", colour="red", valid_hours="12", shapes="121.5,29.8 1km")
    assert answer.status == 303


async def test_the_area_is_the_officers_own(web: Web) -> None:
    officer = await (await Officer(web).sign_in("author", TOWN)).open()
    assert "第2镇" not in officer.text
    await officer.post(**{**warning(), f"region-{OTHER_TOWN}": "on"})
    await officer.open(f"/compose/{officer.key}")
    assert "超出了您的辖区" in officer.text
    assert (await web.client.get(f"/compose/{officer.key}/audience")).status == 404
    answer = await officer.post("submit", **{**warning(), f"region-{OTHER_TOWN}": "on"})
    assert answer.status == 422
    assert await web.value("SELECT count(*) FROM alert") == 0
    other = await Officer(web).sign_in("author", OTHER_TOWN)
    assert (await other.web.client.get(f"/compose/{officer.key}")).status == 404
    assert (await other.web.client.get(f"/compose/{officer.key}/audio/voice")).status == 404


async def test_words_that_nobody_has_read_do_not_go_out(officer: Officer) -> None:
    answer = await officer.post("issue", **warning(reason="来不及", confirm="第1镇"))
    assert answer.status == 422
    assert "请看过以后再按一次" in await answer.text()
    assert (await officer.post("issue", **warning(reason="来不及", confirm="第1镇"))).status == 303


async def test_no_part_of_the_page_has_a_script_or_style_of_its_own(officer: Officer) -> None:
    part = await (await officer.post("autosave", **warning())).text()
    page = await (await officer.web.client.get(f"/compose/{officer.key}")).text()
    for text in (part, page):
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", text)


async def test_who_may_not_write_finds_no_form(web: Web) -> None:
    viewer = await Officer(web).sign_in("viewer")
    assert (await viewer.web.client.get("/compose")).status == 403
    assert (await viewer.web.client.get("/compose/aaaaaaaaaaaaaaaaaaaaaa")).status == 403


async def test_what_the_voice_gets_is_shown_where_it_differs_from_the_words(officer: Officer) -> None:
    part = await (
        await officer.post("autosave", **warning(instruction="请迁往重庆路", instruction_en="Move up."))
    ).text()
    assert "请迁往重庆路" in part
    assert "请迁往虫庆路" in part
    assert "播报时读作 · en" in unescape(part).replace("</small>", "")


async def test_the_audio_is_what_will_be_said(officer: Officer) -> None:
    await officer.post(**warning(instruction="请到文化礼堂"))
    answer = await officer.web.client.get(f"/compose/{officer.key}/audio/loudspeaker")
    assert answer.status == 200
    assert answer.content_type == "audio/wav"
    assert "文化礼堂" in officer.web.context.studio.said[-1]  # type: ignore[attr-defined]  # the studio of the tests
    assert (await officer.web.client.get(f"/compose/{officer.key}/audio/sms")).status == 404


async def test_what_is_shown_to_be_said_is_what_all_hear(officer: Officer) -> None:
    part = unescape(await (await officer.post("autosave", **warning())).text())
    await officer.web.client.get(f"/compose/{officer.key}/audio/loudspeaker")
    heard = officer.web.context.studio.said[-1]  # type: ignore[attr-defined]  # the studio of the tests
    assert heard in part
    assert "第一镇的居民" not in part, "a place of which no recording is made"


async def test_the_mail_is_shown_as_a_mail_program_shows_it_and_can_do_nothing(officer: Officer) -> None:
    await officer.post(**warning(instruction="<script>alert(1)</script>"))
    page = await (await officer.web.client.get(f"/compose/{officer.key}")).text()
    assert f'sandbox loading="lazy" src="/compose/{officer.key}/mail?' in page
    letter = await officer.web.client.get(f"/compose/{officer.key}/mail")
    assert letter.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; sandbox;"
    )
    assert letter.headers["X-Frame-Options"] == "SAMEORIGIN"
    text = await letter.text()
    assert "&lt;script&gt;" in text
    assert "<script" not in text


async def test_what_is_missing_is_a_fault_only_when_one_tries_to_send_it(officer: Officer) -> None:
    fresh = await (await officer.web.client.get("/compose")).text()
    assert '<p class="todo">没有选择灾种</p>' in fresh
    assert 'class="fault"' not in fresh
    assert "还差：" in fresh
    answer = await officer.post("submit", colour="red")
    assert answer.status == 422
    assert '<p class="fault">没有选择灾种</p>' in await answer.text()


async def test_regions_are_found_by_name_and_below_each_other(officer: Officer) -> None:
    found = await (await officer.web.client.get(f"/compose/regions?key={officer.key}&q=1001村")).text()
    assert f"region-{TOWN}001" in found
    below = await (await officer.web.client.get(f"/compose/regions?key={officer.key}&under={TOWN}")).text()
    assert below.count("checkbox") == 2
    for wrong in ("%", "_", "'", "<b>"):
        assert (
            "checkbox"
            not in await (
                await officer.web.client.get(f"/compose/regions?key={officer.key}", params={"q": wrong})
            ).text()
        )
    assert (await officer.web.client.get(f"/compose/regions?key={officer.key}&under=33021")).status == 400
    assert (await officer.web.client.get("/compose/regions?key=%00&q=%00&under=%00")).status == 200
    outlines = await (await officer.web.client.get("/api/v1/regions/outlines?level=3")).json()
    assert len(outlines["features"]) == 4


async def test_searching_works_without_scripts(officer: Officer) -> None:
    answer = await officer.post("search", q="1001村", **warning())
    assert f'name="region-{TOWN}001"' in await answer.text()


async def test_a_script_in_a_draft_is_only_text(officer: Officer) -> None:
    async with officer.web.database.connection() as connection:
        await connection.execute("UPDATE region SET name = $1 WHERE level > 1", SCRIPT)
    hostile = f'"><img src=x onerror=alert(1)>{SCRIPT}'
    part = await officer.post(
        "autosave", **warning(headline=hostile, description=hostile, shapes=hostile, headline_en=hostile)
    )
    paths = (officer.key, f"{officer.key}/audience", f"{officer.key}/outlook", f"regions?under={TOWN}")
    pages = [await part.text(), *[await (await officer.web.client.get(f"/compose/{path}")).text() for path in paths]]
    for text in pages:
        assert SCRIPT not in text
        assert "<img" not in text
    assert "&lt;script&gt;" in pages[1]


async def test_the_forms_cost_is_said_where_the_price_is_known(make_web: Make, context: Context) -> None:
    settings = replace(context.settings, messages=replace(context.settings.messages, sms_price=0.05))
    officer = await (await Officer(await make_web(replace(context, settings=settings))).sign_in()).open()
    await officer.post(**warning())
    assert "费用" in await (await officer.web.client.get(f"/compose/{officer.key}/outlook")).text()
    assert "每人 0." in await (await officer.web.client.get(f"/compose/{officer.key}")).text()


@pytest.mark.parametrize("status", ["System", "Draft", "", "<b>"])
async def test_a_status_that_no_officer_chooses_does_no_harm(officer: Officer, status: str) -> None:
    await officer.post(**warning(status=status))
    for path in (f"/compose/{officer.key}", "/compose"):
        assert (await officer.web.client.get(path)).status == 200
    number = await officer.web.draft(status="System")
    token = {"form_token": officer.token}
    answer = await officer.web.client.post(f"/alerts/{number}/edit", data=token, allow_redirects=False)
    assert (await officer.web.client.get(answer.headers["Location"])).status == 200


async def test_a_leader_may_call_off_and_is_told_where_that_ends(web: Web) -> None:
    number = await web.issued(colour="orange", headline="台风橙色预警")
    leader = await Officer(web).sign_in("approver")
    page = await (await web.client.get("/alerts")).text()
    token = {"form_token": _TOKEN.findall(page)[0]}
    answer = await web.client.post(f"/alerts/{number}/cancel", data=token, allow_redirects=False)
    await leader.open(answer.headers["Location"])
    assert "请由该区域的值班员提交" in leader.text
    answer = await leader.post("issue", reason="已过去", confirm="第1镇")
    assert answer.status == 422


async def test_an_edit_keeps_what_the_form_does_not_show(officer: Officer) -> None:
    number = await officer.web.draft(contact="12345", parameters={"name": "梅花"})
    token = {"form_token": officer.token}
    answer = await officer.web.client.post(f"/alerts/{number}/edit", data=token, allow_redirects=False)
    await officer.open(answer.headers["Location"])
    assert (await officer.post("submit", **warning(headline="改过的台风红色预警"))).status == 303
    info = json.loads(str(await officer.value("SELECT document->'infos'->0 FROM alert WHERE id = $1", number)))
    assert (info["contact"], info["headline"]) == ("12345", "改过的台风红色预警")
    assert info["parameters"] == [{"name": "name", "value": "梅花"}]


async def test_a_forged_key_or_form_is_refused(officer: Officer) -> None:
    assert (await officer.web.client.get("/compose/short")).status == 404
    officer.token = "0" * 64
    assert (await officer.post(**warning())).status == 403
