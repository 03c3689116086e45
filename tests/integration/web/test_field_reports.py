"""What a village head reports through the link: numbers, words, a call for help; and who reads it."""

from __future__ import annotations

import pytest

from broadcaster.web.endpoint import JSON
from tests.harness.field import VILLAGE, unit_link
from tests.harness.web import OTHER_TOWN, TOWN, Web

REPORT = {"answer": "report", "key": "tap-00000001", "moved": "12", "refused": "1", "away": "", "note": "桥断了"}


async def test_a_report_of_numbers_confirms_the_unit_and_stands_beside_it(web: Web) -> None:
    link, unit = await unit_link(web)
    answer = await web.client.post(link, data=REPORT, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{link}?said=reported")
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "acknowledged"
    assert await web.value("SELECT moved FROM unit WHERE id = $1", unit) == 12
    text = await (await web.client.get(f"{link}?said=reported")).text()
    assert "已上报" in text
    assert "已转移 12" in text


async def test_the_same_tap_twice_is_one_report_and_another_number_from_the_same_page_is_a_second(web: Web) -> None:
    link, unit = await unit_link(web)
    for _ in range(3):
        await web.client.post(link, data=REPORT)
    assert await web.value("SELECT count(*) FROM field_report") == 1
    await web.client.post(link, data={**REPORT, "moved": "20"})
    assert await web.value("SELECT count(*) FROM field_report") == 2
    assert await web.value("SELECT moved FROM unit WHERE id = $1", unit) == 20


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"moved": "many"}, "请填 0 到 999999"),
        ({"away": "-3"}, "请填 0 到 999999"),
        ({"refused": "1000000"}, "请填 0 到 999999"),
        ({"moved": "９"}, "请填 0 到 999999"),
        ({"moved": "", "refused": "", "note": ""}, "至少填一个人数"),
        ({"note": "x" * 501}, "最多 500 字"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(
    web: Web, wrong: dict[str, str], said: str
) -> None:
    link, unit = await unit_link(web)
    answer = await web.client.post(link, data={**REPORT, **wrong})
    text = await answer.text()
    assert answer.status == 422
    assert said in text
    assert "<script>" not in text
    if "note" not in wrong:
        assert "桥断了" in text
    assert await web.value("SELECT count(*) FROM field_report") == 0
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"


async def test_the_queue_of_the_telephone_is_answered_in_json(web: Web) -> None:
    link, _ = await unit_link(web)
    good = await web.client.post(link, data=REPORT, headers={"Accept": JSON})
    assert (good.status, await good.json()) == (200, {"said": "reported"})
    bad = await web.client.post(link, data={**REPORT, "moved": "x"}, headers={"Accept": JSON})
    assert (bad.status, (await bad.json())["code"]) == (400, "bad-input")
    forged = await web.client.post("/r/" + "A" * 32, data=REPORT, headers={"Accept": JSON})
    assert (forged.status, (await forged.json())["code"]) == (404, "not-found")


async def test_help_in_words_reaches_the_desk_and_each_cry_is_one(web: Web) -> None:
    link, unit = await unit_link(web)
    cry = {"answer": "help", "key": "tap-00000002", "note": "<b>三组</b>塌方"}
    for _ in range(2):
        assert (await web.client.post(link, data=cry, allow_redirects=False)).status == 303
    assert await web.value("SELECT text FROM help_request WHERE unit_id = $1", unit) == "求助 <b>三组</b>塌方"
    assert await web.value("SELECT times FROM help_request") == 1
    await web.client.post(link, data={**cry, "key": "tap-00000003", "note": "水涨了"})
    assert await web.value("SELECT times FROM help_request") == 2
    assert "已记下您的求助" in await (await web.client.get(link)).text()


async def test_who_is_no_longer_on_duty_can_neither_report_nor_confirm(web: Web) -> None:
    link, unit = await unit_link(web)
    await web.value("UPDATE duty SET valid_to = $1 WHERE region_code = $2", web.clock.now(), VILLAGE)
    assert (await web.client.post(link, data=REPORT)).status == 403
    text = await (await web.client.get(link)).text()
    assert "您目前不在岗" in text
    assert 'value="report"' not in text
    assert await web.value("SELECT count(*) FROM field_report") == 0
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"


async def test_a_report_after_the_end_is_refused_and_a_cry_for_help_is_heard(web: Web) -> None:
    link, _ = await unit_link(web)
    web.clock.advance(13 * 3600)
    assert (await web.client.post(link, data=REPORT)).status == 422
    assert await web.value("SELECT count(*) FROM field_report") == 0
    cry = {"answer": "help", "key": "tap-00000002", "note": "被困"}
    assert (await web.client.post(link, data=cry, allow_redirects=False)).status == 303
    assert await web.value("SELECT count(*) FROM help_request") == 1


async def test_a_household_has_nothing_to_report(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    ordinal = await web.value("SELECT ordinal FROM delivery WHERE household_id IS NOT NULL ORDER BY ordinal LIMIT 1")
    link = f"/r/{web.context.tokens.sign(number, ordinal)}"
    assert (await web.client.post(link, data=REPORT)).status == 404
    assert (await web.client.get(f"{link}/doors")).status == 404
    assert 'value="report"' not in await (await web.client.get(link)).text()


async def test_the_desk_reads_the_reports_of_its_own_regions(web: Web) -> None:
    number = await web.issued(regions=[TOWN, OTHER_TOWN])
    link, unit = await unit_link(web, number=number)
    other, _ = await unit_link(web, OTHER_TOWN + "001", number)
    await web.client.post(link, data={**REPORT, "note": "<i>桥</i>"})
    await web.client.post(other, data={**REPORT, "moved": "3"})
    path = f"/api/v1/alerts/{number}/reports"
    everything = (await (await web.ask("GET", path)).json())["reports"]
    assert sorted(one["moved"] for one in everything) == [3, 12]
    [own] = (await (await web.ask("GET", path, "author", TOWN)).json())["reports"]
    assert (own["unit_id"], own["refused"], own["away"], own["note"]) == (unit, 1, None, "<i>桥</i>")
    assert own["reported_by"] == "书记1001"
    assert (await web.ask("GET", path, "viewer")).status == 403
    assert (await web.ask("GET", path, "author", "330299")).status == 404


async def test_too_many_posts_with_one_link_are_told_to_wait(web: Web) -> None:
    link, _ = await unit_link(web)
    answers = [(await web.client.post(link, data={"answer": "x"})).status for _ in range(61)]
    assert answers[:60] == [400] * 60
    assert answers[60] == 429
    web.clock.advance(2)
    assert (await web.client.post(link, data=REPORT, allow_redirects=False)).status == 303


async def test_guessing_links_is_slowed_down_and_good_links_still_work(web: Web) -> None:
    link, _ = await unit_link(web)
    answers = [(await web.client.get(f"/r/{place:032d}")).status for place in range(31)]
    assert answers == [404] * 30 + [429]
    assert (await web.client.get(link)).status == 200


async def test_an_expired_link_says_what_to_do(web: Web) -> None:
    number = await web.issued()
    token = web.context.tokens.sign(number, 0, web.clock.now())
    web.clock.advance(3600)
    answer = await web.client.get(f"/r/{token}")
    text = await answer.text()
    assert answer.status == 404
    for words in ("已经过期", "直接回复那条短信", "110 或 119"):
        assert words in text
