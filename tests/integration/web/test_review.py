"""Deciding about an alert: what exactly goes out, what has changed, by whom; and what replaces it once it is out."""

from __future__ import annotations

import re
from html import unescape

import pytest
from aiohttp import ClientResponse

from tests.harness.web import DISTRICT, OTHER_TOWN, PASSWORD, TOWN, Web, form

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


async def sign_in(web: Web, role: str, region: str = DISTRICT) -> None:
    web.client.session.cookie_jar.clear()
    await web.token(role, region)
    page = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region}", "password": PASSWORD, "form_token": _TOKEN.findall(page)[0]}
    assert (await web.client.post("/sign-in", data=fields, allow_redirects=False)).status == 303


async def press(web: Web, path: str, **given: str) -> ClientResponse:
    token = _TOKEN.findall(await (await web.client.get("/alerts")).text())[0]
    return await web.client.post(path, data={"form_token": token, **given}, allow_redirects=False)


async def text_of(web: Web, path: str) -> str:
    answer = await web.client.get(path)
    assert answer.status == 200, await answer.text()
    return unescape(await answer.text())


async def version(web: Web, number: int) -> str:
    return str(await web.value("SELECT version FROM alert WHERE id = $1", number))


async def state(web: Web, number: int) -> str:
    return str(await web.value("SELECT state FROM alert WHERE id = $1", number))


@pytest.fixture
async def submitted(web: Web) -> int:
    number = await web.draft()
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})).status == 200
    return number


async def test_the_page_shows_every_channel_and_the_numbers(web: Web, submitted: int) -> None:
    await sign_in(web, "approver")
    text = await text_of(web, f"/alerts/{submitted}/review")
    for word in ("短信", "微信", "邮件", "电话", "大喇叭", "请立即转移到安全地带", "<dd>6</dd>", "拆成", "<audio"):
        assert word in text, word
    assert (await web.client.get(f"/alerts/{submitted}/audio/voice")).status == 200


async def test_what_is_approved_is_the_version_that_was_seen(web: Web, submitted: int) -> None:
    await sign_in(web, "approver")
    answer = await press(web, f"/alerts/{submitted}/approve", version="1")
    assert answer.status == 422
    assert "已被别人改动" in await answer.text()
    answer = await press(web, f"/alerts/{submitted}/approve", version=await version(web, submitted))
    assert answer.status == 303
    assert await state(web, submitted) == "approved"


async def test_nobody_approves_their_own(web: Web) -> None:
    async with web.database.connection() as connection:
        await connection.execute("SELECT 1")
    number = await web.draft()
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    async with web.database.connection() as connection:
        await connection.execute("UPDATE alert SET created_by = $1", f"approver-{DISTRICT}")
    await sign_in(web, "approver")
    text = await text_of(web, f"/alerts/{number}/review")
    assert "您自己起草" in text
    assert 'id="approve"' not in text
    answer = await press(web, f"/alerts/{number}/approve", version=await version(web, number))
    assert answer.status == 422
    assert await state(web, number) == "in_review"


async def test_sending_it_back_takes_a_reason_which_its_author_reads(web: Web, submitted: int) -> None:
    await sign_in(web, "approver")
    now = await version(web, submitted)
    assert (await press(web, f"/alerts/{submitted}/reject", version=now)).status == 422
    assert (await press(web, f"/alerts/{submitted}/reject", version=now, reason="地点不对")).status == 303
    await sign_in(web, "author")
    assert "地点不对" in await text_of(web, f"/alerts/{submitted}")


async def test_the_reviewer_sees_word_by_word_what_has_changed_since(web: Web, submitted: int) -> None:
    await sign_in(web, "approver")
    assert "上次看过" not in await text_of(web, f"/alerts/{submitted}/review")
    await press(web, f"/alerts/{submitted}/reject", version=await version(web, submitted), reason="改一下")
    await web.ask(
        "PUT",
        f"/api/v1/alerts/{submitted}?version={await version(web, submitted)}",
        json=form(instruction="请立即转移到文化礼堂。"),
    )
    await web.ask("POST", f"/api/v1/alerts/{submitted}/submit", json={})
    for _ in range(2):  # also when the page is loaded again
        text = await text_of(web, f"/alerts/{submitted}/review")
        assert "<del>安全地带</del><ins>文化礼堂</ins>" in text
        assert "<dt>防御指引</dt>" in text


async def test_approving_and_issuing_is_one_press_with_the_areas_name(web: Web, submitted: int) -> None:
    await sign_in(web, "approver")
    now = await version(web, submitted)
    path = f"/alerts/{submitted}/approve"
    assert (await press(web, path, version=now, do="issue", confirm="别处")).status == 422
    assert await state(web, submitted) == "in_review"
    for _ in range(2):
        assert (await press(web, path, version=now, do="issue", confirm="第1镇")).status == 303
    assert await state(web, submitted) == "issued"
    assert await web.value("SELECT count(*) FROM run") == 1
    assert web.bells.rung == ["work"]


async def test_another_regions_alert_cannot_be_seen_or_decided(web: Web, submitted: int) -> None:
    await sign_in(web, "approver", OTHER_TOWN)
    assert (await web.client.get(f"/alerts/{submitted}/review")).status == 404
    assert (await web.client.get(f"/alerts/{submitted}/audio/voice")).status == 404
    for step in ("approve", "reject", "issue", "end", "submit", "recall", "edit", "update", "cancel", "misfire"):
        assert (await press(web, f"/alerts/{submitted}/{step}", version="2", reason="x")).status == 404, step


async def test_a_viewer_sees_the_page_and_no_button(web: Web, submitted: int) -> None:
    await sign_in(web, "viewer")
    text = await text_of(web, f"/alerts/{submitted}/review")
    assert "现在没有要您决定的" in text
    answer = await press(web, f"/alerts/{submitted}/approve", version="2")
    assert answer.status == 422
    assert await state(web, submitted) == "in_review"


async def test_an_alert_that_went_out_first_is_approved_afterwards(web: Web) -> None:
    number = await web.draft()
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/issue", json={"reason": "来不及"})).status == 200
    await sign_in(web, "approver")
    assert "尚待批准" in await text_of(web, f"/alerts/{number}")
    assert "补批" in await text_of(web, f"/alerts/{number}/review")
    answer = await press(web, f"/alerts/{number}/approve", version=await version(web, number))
    assert answer.status == 303
    assert "尚待批准" not in await text_of(web, f"/alerts/{number}")


async def test_taking_back_editing_and_submitting_again(web: Web, submitted: int) -> None:
    await sign_in(web, "author")
    assert (await press(web, f"/alerts/{submitted}/recall")).status == 303
    for _ in range(2):
        answer = await press(web, f"/alerts/{submitted}/edit")
        assert answer.status == 303
    assert await web.value("SELECT count(*) FROM draft_form") == 1
    page = await text_of(web, answer.headers["Location"])
    assert "请立即转移到安全地带" in page
    assert f'name="region-{TOWN}" checked' in page
    assert (await press(web, f"/alerts/{submitted}/submit")).status == 303
    assert await state(web, submitted) == "in_review"


@pytest.mark.parametrize(("deed", "words"), [("cancel", "解除"), ("misfire", "误发")])
async def test_calling_off_has_its_words_ready_and_goes_out_once(web: Web, deed: str, words: str) -> None:
    number = await web.issued()
    await web.fan_out()
    await sign_in(web, "author")
    answer = await press(web, f"/alerts/{number}/{deed}")
    assert answer.headers["Location"] == (await press(web, f"/alerts/{number}/{deed}")).headers["Location"]
    path = answer.headers["Location"]
    page = await text_of(web, path)
    assert words in page
    assert ("有序返回" in page) == (deed == "cancel"), "nobody who never left is asked to come back"
    fields = {
        name: str(await web.value("SELECT typed->>$1 FROM draft_form", name))
        for name in ("headline", "description", "valid_hours")
    }
    window = re.findall(r'name="window" value="([^"]*)"', page)[0]
    given = {**fields, "version": "1", "window": window, "do": "issue", "reason": "已经过去", "confirm": "第1镇"}
    for _ in range(2):
        assert (await press(web, path, **given)).status == 303
    assert await web.value("SELECT count(*) FROM alert WHERE msg_type = 'Cancel' AND state = 'issued'") == 1
    assert await web.value("SELECT superseded_by FROM alert WHERE id = $1", number) is not None
    newest = await web.value("SELECT max(id) FROM alert")
    assert f'<a href="/alerts/{newest}">' in await text_of(web, f"/alerts/{number}"), "one press to what holds now"
    areas = await web.value("SELECT document->'infos'->0->'areas' FROM alert WHERE msg_type = 'Cancel'")
    assert (areas == "[]") == (deed == "misfire")


async def test_an_update_begins_with_what_it_updates(web: Web) -> None:
    number = await web.issued()
    await sign_in(web, "author")
    answer = await press(web, f"/alerts/{number}/update")
    page = await text_of(web, answer.headers["Location"])
    assert "请立即转移到安全地带" in page
    assert "更新" in page


async def test_ending_takes_a_reason_and_tells_nobody(web: Web) -> None:
    number = await web.issued()
    await sign_in(web, "approver")
    now = await version(web, number)
    assert (await press(web, f"/alerts/{number}/end", version=now)).status == 422
    for _ in range(2):
        assert (await press(web, f"/alerts/{number}/end", version=now, reason="误发，无人收到")).status == 303
    assert await state(web, number) == "ended"
