"""Audiences over the web: browsing and searching within one's regions, masked until asked for; contacts set right."""

from __future__ import annotations

import re

import pytest

from audiences import browse
from tests.harness.pages import reader
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web

VILLAGE = f"{TOWN}001"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def home(web: Web) -> int:
    """A household with a member, a mobile and a mail address in the first village; its id."""
    async with web.database.connection() as connection:
        number: int = await connection.fetchval(
            "INSERT INTO household (external_id, region_code, name, address, tags, risk, size)"
            " VALUES ('H-1', $1, '张三丰', '中心路9号', '{lives_alone}', 60, 2) RETURNING id",
            f"{VILLAGE}001",
        )
        await connection.execute(
            "INSERT INTO person (external_id, household_id, name) VALUES ('H-1/王小明', $1, '王小明')", number
        )
        await connection.execute(
            "INSERT INTO contact (household_id, medium, address, region_code) VALUES ($1, 'phone', '13800138000', $2),"
            " ($1, 'email', 'zhang@example.cn', $2)",
            number,
            f"{VILLAGE}001",
        )
    return number


async def _contact(web: Web, home: int) -> int:
    number: int = await web.value("SELECT id FROM contact WHERE household_id = $1 AND medium = 'phone'", home)
    return number


async def test_the_tree_counts_what_is_below(web: Web, home: int) -> None:
    async with web.database.connection() as connection:
        places = await browse.below(connection, DISTRICT, web.clock.now())
    first = places[0]
    assert (first.code, first.households, first.people, first.vulnerable) == (TOWN, 7, 2, 7)
    assert (first.contacts["phone"], first.contacts["email"], first.holders) == (7, 1, 2)
    text = await (await reader(web)).page(f"/audience?region={DISTRICT}")
    assert "第1镇" in text
    assert "第2镇" in text


async def test_a_household_that_is_not_there_is_not_counted(web: Web, home: int) -> None:
    async with web.database.connection() as connection:
        await connection.execute("UPDATE household SET active = false WHERE id = $1", home)
        places = await browse.below(connection, DISTRICT, web.clock.now())
    assert (places[0].households, places[0].contacts["phone"], places[0].contacts["email"]) == (6, 6, 0)


async def test_homes_are_listed_page_by_page_without_losing_or_repeating_one(web: Web) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO household (external_id, region_code, name)"
            " SELECT 'K' || n, $1, '李' FROM generate_series(1, 120) n",
            f"{VILLAGE}001",
        )
    visitor, path, seen = await reader(web), f"/audience?region={VILLAGE}", []
    for _ in range(5):
        text = await visitor.page(path)
        seen += re.findall(r"/audience/households/(\d+)", text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 123


@pytest.mark.parametrize("path", ["/audience", "/audience/terminals", "/duties"])
async def test_another_region_does_not_exist_for_the_reader(web: Web, path: str) -> None:
    visitor = await reader(web, region=TOWN)
    await visitor.page(f"{path}?region={TOWN}")
    for code in (OTHER_TOWN, DISTRICT, "", "999999", "x", f"{TOWN}999", "1" * 40):
        await visitor.page(f"{path}?region={code}", 404)


async def test_a_home_of_another_region_does_not_exist_for_the_reader(web: Web, home: int) -> None:
    visitor = await reader(web, region=OTHER_TOWN)
    contact = await _contact(web, home)
    await visitor.page(f"/audience/households/{home}", 404)
    assert (await visitor.send(f"/audience/households/{home}/reveal")).status == 404
    assert (await visitor.send(f"/audience/households/{home}/contacts/{contact}", do="off")).status == 404
    assert await web.value("SELECT active FROM contact WHERE id = $1", contact)
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action LIKE 'household.%'") == 0


async def test_a_viewer_has_no_audience(web: Web, home: int) -> None:
    visitor = await reader(web, "viewer")
    assert 'href="/audience"' not in await visitor.page("/alerts")
    for path in ("/audience", "/audience/search?q=H-1", "/audience/dead", "/duties", "/audience/imports"):
        await visitor.page(path, 403)
    await visitor.page(f"/audience/households/{home}", 404)


async def test_names_and_numbers_are_masked_until_asked_for_and_that_is_recorded(web: Web, home: int) -> None:
    visitor = await reader(web)
    masked = await visitor.page(f"/audience/households/{home}")
    for secret in ("张三丰", "王小明", "13800138000", "zhang@example.cn"):
        assert secret not in masked
    for shown in ("张**", "王**", "138****8000", "z**@example.cn"):
        assert shown in masked
    answer = await visitor.send(f"/audience/households/{home}/reveal")
    text = await answer.text()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    for secret in ("张三丰", "王小明", "13800138000", "zhang@example.cn"):
        assert secret in text
    async with web.database.connection() as connection:
        entry = await connection.fetchrow("SELECT * FROM audit_entry WHERE action = 'household.reveal'")
    assert entry["subject"] == f"household {home}"
    assert "张" not in entry["detail"]
    assert entry["account_id"] > 0


async def test_an_administrator_keeps_rosters_without_seeing_names(web: Web, home: int) -> None:
    visitor = await reader(web, "administrator")
    assert "reveal" not in await visitor.page(f"/audience/households/{home}")
    assert (await visitor.send(f"/audience/households/{home}/reveal")).status == 403
    contact = await _contact(web, home)
    answer = await visitor.send(f"/audience/households/{home}/contacts/{contact}", address="139 0013 9000")
    assert answer.status == 303
    assert await web.value("SELECT address FROM contact WHERE id = $1", contact) == "13900139000"


async def test_a_wrong_number_comes_back_at_its_field_with_what_was_typed(web: Web, home: int) -> None:
    visitor = await reader(web)
    contact = await _contact(web, home)
    answer = await visitor.send(f"/audience/households/{home}/contacts/{contact}", address=f"123{SCRIPT}")
    text = await answer.text()
    assert answer.status == 422
    assert f'id="fault-address-{contact}"' in text
    assert SCRIPT not in text
    assert "123&lt;script&gt;" in text
    assert await web.value("SELECT address FROM contact WHERE id = $1", contact) == "13800138000"
    added = await visitor.send(f"/audience/households/{home}/contacts", medium="email", address="nobody")
    assert added.status == 422
    assert 'id="fault-address"' in await added.text()
    assert (await visitor.send(f"/audience/households/{home}/contacts", medium="fax", address="1")).status == 400


async def test_contacts_are_corrected_switched_and_added_once_however_often_it_is_sent(web: Web, home: int) -> None:
    visitor = await reader(web)
    contact = await _contact(web, home)
    path = f"/audience/households/{home}/contacts"
    for _ in range(2):
        await visitor.send(f"{path}/{contact}", address="13900139000")
    for _ in range(2):
        await visitor.send(path, medium="phone", address="0574-88123456")
    assert await web.value("SELECT count(*) FROM contact WHERE household_id = $1", home) == 3
    for _ in range(2):
        answer = await visitor.send(f"{path}/{contact}", do="off")
    assert answer.headers["Location"].endswith("said=contact_off")
    assert not await web.value("SELECT active FROM contact WHERE id = $1", contact)
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'contact.correct'") == 1
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'contact.deactivate'") == 1
    assert await web.value("SELECT count(*) FROM audit_entry WHERE detail LIKE '%139%'") == 0


async def test_a_number_corrected_to_one_that_the_home_has_leaves_one(web: Web, home: int) -> None:
    visitor = await reader(web)
    path = f"/audience/households/{home}/contacts"
    await visitor.send(path, medium="phone", address="13900139000")
    await visitor.send(f"{path}/{await _contact(web, home)}", address="13900139000")
    assert (
        await web.value("SELECT count(*) FROM contact WHERE household_id = $1 AND medium = 'phone' AND active", home)
        == 1
    )


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("H-1", "household"),
        ("138-0013-8000", "household"),
        ("+86 13800138000", "household"),
        ("张三", "household"),
        ("王小", "household"),
        ("zhang@example.cn", "household"),
        ("第1镇", "region"),
        (TOWN, "region"),
        ("书记", "holder"),
        ("三丰", ""),
        ("1380013800", ""),
        ("%", ""),
        ("'; DROP TABLE household; --", ""),
        ("", ""),
    ],
)
async def test_searching_finds_by_what_is_in_hand(web: Web, home: int, written: str, found: str) -> None:
    web.client.session.cookie_jar.clear()
    visitor = await reader(web)
    answer = await web.client.get("/audience/search", params={"q": written})
    text = await answer.text()
    assert answer.status == 200
    assert (f"/audience/households/{home}" in text) is (found == "household")
    assert (f'href="/audience?region={TOWN}"' in text) is (found == "region")
    assert ('href="/duties?region=' in text) is (found == "holder")
    assert "张三丰" not in text
    assert visitor.form_token


async def test_people_are_searched_only_where_their_homes_may_be_seen(web: Web, home: int) -> None:
    await reader(web, "administrator")
    for written in ("张三", "13800138000", "书记"):
        text = await (await web.client.get("/audience/search", params={"q": written})).text()
        assert "/audience/households/" not in text
        assert "/duties?region=" not in text
    assert f"/audience/households/{home}" in await (await web.client.get("/audience/search?q=H-1")).text()
    await reader(web, region=OTHER_TOWN)
    for written in ("张三", "13800138000", "H-1", TOWN):
        text = await (await web.client.get("/audience/search", params={"q": written})).text()
        assert "/audience/households/" not in text
        assert f"region={TOWN}" not in text


async def test_a_home_shows_what_was_sent_to_it(web: Web, home: int) -> None:
    number = await web.issued()
    await web.fan_out()
    text = await (await reader(web)).page(f"/audience/households/{home}")
    assert f'href="/alerts/{number}"' in text
    assert "短信 138****8000 待发" in text


async def test_a_script_in_a_name_of_the_roster_is_only_text(web: Web, home: int) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE household SET name = $1::text, address = $1::text, tags = ARRAY[$1::text]", SCRIPT
        )
        await connection.execute("UPDATE person SET name = $1", SCRIPT)
        await connection.execute("UPDATE region SET name = $1", SCRIPT)
    visitor = await reader(web)
    pages = [await visitor.page(path) for path in (f"/audience?region={VILLAGE}", f"/duties?region={VILLAGE}")]
    pages.append(await (await visitor.send(f"/audience/households/{home}/reveal")).text())
    for text in pages:
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", text)


@pytest.mark.parametrize("after", ["x", "1", "1-2-3", "-", "٣-٣", "1" * 50])
async def test_a_page_number_that_is_none_is_refused(web: Web, after: str) -> None:
    visitor = await reader(web)
    await visitor.page(f"/audience?region={VILLAGE}&after={after}", 400)
