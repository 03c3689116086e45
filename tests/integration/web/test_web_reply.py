"""The page behind a reply link: opening it changes nothing, one button confirms, another calls for help."""

from __future__ import annotations

import pytest

from tests.harness.field import unit_link
from tests.harness.web import Web


async def _household_link(web: Web, **fields: object) -> str:
    number = await web.issued(**fields)
    await web.fan_out()
    ordinal = await web.value("SELECT ordinal FROM delivery WHERE household_id IS NOT NULL ORDER BY ordinal LIMIT 1")
    return f"/r/{web.context.tokens.sign(number, ordinal)}"


async def test_opening_the_link_confirms_nothing(web: Web) -> None:
    link, unit = await unit_link(web)
    for method in ("GET", "HEAD"):
        answer = await web.client.request(method, link)
        assert answer.status == 200
    text = await (await web.client.get(link)).text()
    for word in ("台风红色预警", "请立即转移到安全地带", "我已收到", "我需要帮助", "您是责任人"):
        assert word in text
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"
    assert await web.value("SELECT count(*) FROM response") == 0


async def test_the_button_confirms_the_unit_once(web: Web) -> None:
    link, unit = await unit_link(web)
    for _ in range(2):
        answer = await web.client.post(link, data={"answer": "confirm"}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, link)
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "acknowledged"
    assert await web.value("SELECT count(*) FROM response") == 1
    text = await (await web.client.get(link)).text()
    assert "已确认收到" in text
    assert "我已收到" not in text
    assert "我需要帮助" in text


async def test_a_household_that_confirms_is_reached(web: Web) -> None:
    link = await _household_link(web)
    await web.client.post(link, data={"answer": "confirm"})
    assert await web.value("SELECT count(*) FROM target WHERE state = 1") == 1


async def test_the_help_button_raises_a_request_that_the_status_page_shows(web: Web) -> None:
    link = await _household_link(web)
    answer = await web.client.post(link, data={"answer": "help"})
    assert "已记下您的求助" in await answer.text()
    assert await web.value("SELECT count(*) FROM help_request WHERE state = 'open'") == 1


async def test_an_answer_that_is_none_is_refused(web: Web) -> None:
    link = await _household_link(web)
    for answer in ("", "yes", "\0"):
        assert (await web.client.post(link, data={"answer": answer})).status == 400
    assert await web.value("SELECT count(*) FROM response") == 0


@pytest.mark.parametrize(
    "token", ["x", "A" * 32, "AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F%92%A5", "%00", "A" * 5000]
)
async def test_a_forged_link_is_not_found(web: Web, token: str) -> None:
    await _household_link(web)
    for answer in (
        await web.client.get(f"/r/{token}"),
        await web.client.post(f"/r/{token}", data={"answer": "confirm"}),
    ):
        assert answer.status == 404
    assert await web.value("SELECT count(*) FROM response") == 0


async def test_a_link_of_another_installation_is_not_found(web: Web) -> None:
    from broadcaster.responses.tokens import Tokens

    number = await web.issued()
    await web.fan_out()
    token = Tokens(b"somebody else's secret").sign(number, 0)
    assert (await web.client.get(f"/r/{token}")).status == 404


async def test_after_its_time_the_page_says_that_it_is_over(web: Web) -> None:
    link = await _household_link(web)
    web.clock.advance(13 * 3600)
    text = await (await web.client.get(link)).text()
    assert "已经结束" in text
    assert 'name="answer"' not in text


async def test_the_button_of_a_page_that_stayed_open_too_long_says_that_it_is_over(web: Web) -> None:
    link = await _household_link(web)
    web.clock.advance(13 * 3600)
    answer = await web.client.post(link, data={"answer": "confirm"}, allow_redirects=False)
    assert answer.status == 422
    assert "已经结束" in await answer.text()
    assert "已确认收到" not in await (await web.client.get(link)).text()
    assert await web.value("SELECT count(*) FROM response") == 0
    assert (await web.client.post(link, data={"answer": "help"}, allow_redirects=False)).status == 303
    assert await web.value("SELECT count(*) FROM help_request") == 1


async def test_a_drill_says_so(web: Web) -> None:
    link = await _household_link(web, status="Exercise")
    assert "演练" in await (await web.client.get(link)).text()


async def test_a_script_in_an_alert_is_only_text(web: Web) -> None:
    link = await _household_link(web, description="<script>alert(1)</script>")
    assert "<script>" not in await (await web.client.get(link)).text()


async def test_what_is_wrong_with_a_link_is_said_in_the_readers_language(web: Web) -> None:
    text = await (await web.client.get(f"/r/{'A' * 32}?lang=en")).text()
    assert "The link is cut off or no longer good." in text
    assert "call 110 or 119" in text


async def test_who_confirmed_what_is_over_reads_both_and_has_nothing_to_press(web: Web) -> None:
    link, _ = await unit_link(web)
    await web.client.post(link, data={"answer": "confirm"})
    identifier = await web.value("SELECT identifier FROM alert")
    await web.issued(msg_type="Update", references=[identifier])
    text = await (await web.client.get(link)).text()
    for words in ("已确认收到", "已经结束", "已有更新"):
        assert words in text
    assert 'name="answer"' not in text
