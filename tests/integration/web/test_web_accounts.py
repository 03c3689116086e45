"""Administering accounts and tokens at the console."""

from __future__ import annotations

import re

from tests.harness.console import Console, person, signed_in
from tests.harness.web import DISTRICT, OTHER_TOWN, PASSWORD, TOWN, Web

SCRIPT = "<script>alert(1)</script>"
_SECRET = re.compile(r'class="secret">([^<]+)<')


def _rows(*rows: tuple[str, str]) -> dict[str, str]:
    return {
        f"{field}-{number}": value
        for number, row in enumerate(rows)
        for field, value in zip(("role", "region"), row, strict=True)
    }


async def test_a_new_account_gets_a_password_once_and_its_owner_another(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await chief.get("/accounts/new")
    made = await chief.post("/accounts/new", {"name": "王芳", **_rows(("author", f"{TOWN} 第1镇"), ("", ""))})
    assert made.status == 200
    [password] = _SECRET.findall(chief.text)
    assert (await chief.post("/accounts/new", {"name": "王芳", **_rows(("author", TOWN))})).status == 422
    assert "已经有人用了" in chief.text
    assert await web.value("SELECT count(*) FROM account WHERE name = '王芳'") == 1
    owner = Console(web)
    assert (await owner.sign_in("王芳", password)).headers["Location"] == "/sign-in/password"
    assert (await owner.get("/alerts")).status == 302
    await owner.get("/sign-in/password")
    for first, second, fault in (
        ("short", "short", "10 到 200"),
        (password, password, "与现在不同"),
        (PASSWORD, "", "不一样"),
    ):
        assert (await owner.post("/sign-in/password", {"password": first, "again": second})).status == 422
        assert fault in owner.text
    done = await owner.post("/sign-in/password", {"password": PASSWORD, "again": PASSWORD})
    assert done.headers["Location"] == "/alerts"
    assert (await owner.get("/alerts")).status == 200
    assert (await Console(web).sign_in("王芳", password)).status == 401


async def test_every_fault_stands_at_its_field_and_what_was_typed_is_kept(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await chief.get("/accounts/new")
    rows = _rows(("author", "第9镇"), ("", TOWN), ("king", TOWN), ("viewer", "一网格"), ("viewer", "1001村"))
    answer = await chief.post("/accounts/new", {"name": "a b", **rows})
    assert answer.status == 422
    for place in ("name", "region-0", "role-1", "role-2", "region-3"):
        assert f'id="fault-{place}"' in chief.text, place
    assert 'id="fault-region-4"' not in chief.text, "a name that is the only one is enough"
    for kept in ('value="a b"', 'value="第9镇"', 'value="1001村"'):
        assert kept in chief.text
    assert "有几个地区同名" in chief.text
    assert (await chief.post("/accounts/new", {"name": "empty"})).status == 422
    assert "至少给一个角色" in chief.text


async def test_roles_are_changed_by_name_or_code_and_only_inside_ones_regions(web: Web) -> None:
    local = await signed_in(web, "local", ("administrator", TOWN))
    number = await person(web, "wang", ("viewer", TOWN))
    await local.get(f"/accounts/{number}")
    assert f'value="{TOWN} 第1镇"' in local.text
    page = f"/accounts/{number}/grants"
    assert (await local.post(page, _rows(("author", "1001村"), ("viewer", f"{TOWN}002")))).status == 303
    held = await web.value(
        "SELECT string_agg(role || '@' || region_code, ' ' ORDER BY role) FROM account_grant WHERE account_id = $1",
        number,
    )
    assert held == f"author@{TOWN}001 viewer@{TOWN}002"
    for outside in (OTHER_TOWN, "第2镇", DISTRICT, "全部地区"):
        assert (await local.post(page, _rows(("author", outside)))).status == 422
    assert "不在您的辖区内" in local.text
    assert (await local.post(page, {})).status == 422


async def test_the_last_administrator_and_ones_own_rights_are_guarded_in_words(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT), ("author", DISTRICT))
    number = await web.value("SELECT id FROM account WHERE name = 'chief'")
    await chief.get(f"/accounts/{number}")
    page = f"/accounts/{number}/grants"
    assert (await chief.post(page, _rows(("author", DISTRICT)))).status == 422
    assert "没有管理员" in chief.text
    more = _rows(("administrator", DISTRICT), ("approver", DISTRICT))
    assert (await chief.post(page, more)).status == 422
    assert "不能给自己更多" in chief.text
    assert (await chief.post(f"/accounts/{number}/off")).status == 422
    assert "没有管理员" in chief.text
    assert (await chief.post(page, _rows(("administrator", DISTRICT)))).status == 303


async def test_switching_off_and_on_and_resetting(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    owner = await signed_in(web, "wang", ("author", TOWN))
    number = await web.value("SELECT id FROM account WHERE name = 'wang'")
    await chief.get(f"/accounts/{number}")
    for said in ("off", "on"):
        for _ in range(2):
            assert (await chief.post(f"/accounts/{number}/{said}")).status == 303, "twice does no harm"
        assert (await owner.sign_in("wang")).status == (401 if said == "off" else 303)
    await chief.get(f"/accounts/{number}?said=account_off")
    assert "账户已停用。" in chief.text
    assert (await chief.post(f"/accounts/{number}/password")).status == 200
    [password] = _SECRET.findall(chief.text)
    assert (await owner.get("/alerts")).status == 302
    assert (await Console(web).sign_in("wang", password)).headers["Location"] == "/sign-in/password"
    async with web.database.connection() as connection:
        await connection.execute("UPDATE account SET factor_on = true, factor_seed = 'x' WHERE id = $1", number)
    assert (await Console(web).sign_in("wang", password)).headers["Location"] == "/sign-in/code"
    assert (await chief.post(f"/accounts/{number}/second-factor")).status == 303
    assert (await Console(web).sign_in("wang", password)).headers["Location"] == "/sign-in/password"


async def test_a_token_is_shown_once_works_and_ends(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    number = await person(web, "feed", ("author", TOWN))
    page = f"/accounts/{number}/tokens"
    await chief.get(page)
    assert "还没有令牌" in chief.text
    for fields, place in (({"label": "", "days": "30"}, "label"), ({"label": "x", "days": "9999"}, "days")):
        assert (await chief.post(page, fields)).status == 422
        assert f'id="fault-{place}"' in chief.text
    assert (await chief.post(page, {"label": f"气象局{SCRIPT}", "days": "30"})).status == 200
    [token] = _SECRET.findall(chief.text)
    assert (await chief.post(page, {"label": f"气象局{SCRIPT}", "days": "30"})).status == 422, "reloaded"
    assert await web.value("SELECT count(*) FROM credential WHERE kind = 'token'") == 1
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await web.client.get("/api/v1/alerts", headers=bearer)).status == 200
    raw = await (await chief.get(page)).text()
    assert token not in raw
    assert SCRIPT not in raw
    assert "最近使用" in chief.text
    [end] = re.findall(rf"{page}/\d+/end", chief.text)
    assert (await chief.post(end)).status == 303
    assert (await web.client.get("/api/v1/alerts", headers=bearer)).status == 401
    await chief.get(page)
    assert "已收回" in chief.text
    web.clock.advance(31 * 86400)


async def test_accounts_are_found_by_a_part_of_their_name_page_by_page(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO account (name, password_hash, active, created_at, password_given, factor_seed, factor_on,"
            " factor_step) SELECT 'head-' || lpad(n::text, 3, '0'), '', true, now(), false, '', false, 0"
            " FROM generate_series(1, 120) AS n"
        )
        await connection.execute(
            "INSERT INTO account_grant (account_id, role, region_code) SELECT id, 'village_head', $1 FROM account"
            " WHERE name LIKE 'head-%'",
            f"{TOWN}001",
        )
    seen: list[str] = []
    path = "/accounts?q=HEAD"
    while path:
        await chief.get(path)
        seen += re.findall(r'<a href="/accounts/\d+">([^<]+)</a>', chief.text)
        path = (re.findall(r'href="(/accounts\?[^"]*after[^"]*)"', chief.text) or [""])[0]
    assert seen == [f"head-{number:03}" for number in range(1, 121)]
    await chief.get("/accounts?q=%25")
    assert "没有名称含这些字的账户" in chief.text
    assert (await chief.get("/accounts?q=%00&after=%ff")).status == 200


async def test_regions_are_offered_while_one_types(web: Web) -> None:
    local = await signed_in(web, "local", ("administrator", TOWN))
    await local.get("/accounts/regions?region-0=村")
    assert local.text.count("<option") == 2
    assert f'value="{TOWN}001 第1镇1001村"' in local.text
    await local.get("/accounts/regions?region-3=330212102")
    assert "<option" not in local.text
    for odd in ("", "%", "'", "%00", "a" * 500):
        assert (await local.get(f"/accounts/regions?q={odd}")).status == 200


async def test_names_with_markup_are_text(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    number = await person(web, "wang", ("viewer", TOWN))
    async with web.database.connection() as connection:
        await connection.execute("UPDATE region SET name = $1", SCRIPT)
        await connection.execute("UPDATE account SET name = $1 WHERE id = $2", SCRIPT, number)
    for path in ("/accounts", f"/accounts/{number}", f"/accounts/{number}/tokens", "/me", "/accounts/regions?q=3"):
        assert SCRIPT not in await (await chief.get(path)).text(), path


async def test_whoever_manages_nothing_is_told_so(web: Web) -> None:
    author = await signed_in(web, "zhang", ("author", DISTRICT))
    assert "/accounts" not in author.text.replace("/accounts/", "")
    for path in ("/accounts", "/accounts/new", "/accounts/1", "/audit", "/accounts/regions"):
        assert (await author.get(path)).status == 403, path
