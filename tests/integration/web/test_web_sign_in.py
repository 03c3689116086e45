"""Signing in with a second factor, sessions that end, and one's own account."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from broadcaster.security.records import AccountRecord
from broadcaster.settings import Settings
from broadcaster.web.context import Context
from tests.harness.console import Console, person, signed_in
from tests.harness.web import DISTRICT, PASSWORD, Make, Web

NEW = "another long password"
_CODES = re.compile(r"<li><code>([A-Z2-9]{5}-[A-Z2-9]{5})</code>")


async def _code(web: Web, name: str) -> str:
    """What the app of that account shows now."""
    account = await AccountRecord.get(name=name)
    return web.context.factor.code(account.id, account.factor_seed, web.clock.now())


async def _wrong(web: Web, name: str) -> str:
    return f"{(int(await _code(web, name)) + 1) % 1_000_000:06d}"


async def _with_factor(web: Web, name: str = "zhang") -> tuple[Console, list[str]]:
    """Somebody who switched the second factor on, and the recovery codes."""
    console = await signed_in(web, name, ("author", DISTRICT))
    await console.get("/me/second-factor")
    answer = await console.post("/me/second-factor", {"code": await _code(web, name), "current": PASSWORD})
    assert answer.status == 200
    return console, _CODES.findall(console.text)


@pytest.fixture
async def strict(make_web: Make, context: Context, settings: Settings) -> Web:
    """An office where approvers and administrators need a second factor."""
    security = replace(settings.security, second_factor="offices")
    return await make_web(replace(context, settings=replace(settings, security=security)))


async def test_after_the_password_a_code_is_asked_for_and_opens_one_session(web: Web) -> None:
    _, codes = await _with_factor(web)
    assert len(set(codes)) == 10
    web.clock.advance(60)
    console = Console(web)
    assert (await console.sign_in("zhang")).headers["Location"] == "/sign-in/code"
    assert (await console.get("/alerts")).status == 302, "the password alone opens nothing"
    assert (await console.get("/")).headers["Location"] == "/sign-in/code"
    await console.get("/sign-in/code")
    half = dict(console.cookies)
    code = await _code(web, "zhang")
    assert (await console.post("/sign-in/code", {"code": f"{code[:3]} {code[3:]}"})).headers["Location"] == "/alerts"
    assert (await console.get("/alerts")).status == 200
    assert console.cookies["daohu_session"] != half["daohu_session"]
    again = Console(web, cookies=half)
    assert (await again.get("/sign-in/code")).headers["Location"] == "/", "the half session is spent"


async def test_a_code_that_was_used_is_refused(web: Web) -> None:
    await _with_factor(web)
    console = Console(web)
    await console.sign_in("zhang")
    await console.get("/sign-in/code")
    answer = await console.post("/sign-in/code", {"code": await _code(web, "zhang")})
    assert answer.status == 401, "it was used to switch the factor on, half a minute ago at most"
    assert "已经用过" in console.text


async def test_a_recovery_code_works_once_however_it_is_typed(web: Web) -> None:
    _, codes = await _with_factor(web)
    for typed, status in ((codes[0].lower().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
        console = Console(web)
        await console.sign_in("zhang")
        await console.get("/sign-in/code")
        assert (await console.post("/sign-in/code", {"code": typed})).status == status
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'factor.recovery'") == 2
    await console.get("/me")
    assert "还有 8 个恢复码" in console.text


async def test_guessing_codes_is_slowed_from_every_address_and_said(web: Web) -> None:
    await _with_factor(web)
    web.clock.advance(60)
    console = Console(web)
    await console.sign_in("zhang")
    await console.get("/sign-in/code")
    wrong = await _wrong(web, "zhang")
    for _ in range(10):
        assert (await console.post("/sign-in/code", {"code": wrong})).status == 401
    limited = await console.post("/sign-in/code", {"code": await _code(web, "zhang")})
    assert (limited.status, limited.headers["Retry-After"]) == (429, "16")
    assert "请等 16 秒" in console.text
    web.clock.advance(30)
    assert (await console.post("/sign-in/code", {"code": await _code(web, "zhang")})).status == 303


async def test_offices_must_set_it_up_before_anything_opens_where_the_setting_says_so(strict: Web) -> None:
    await person(strict, "leader", ("approver", DISTRICT))
    console = Console(strict)
    assert (await console.sign_in("leader")).headers["Location"] == "/sign-in/second-factor"
    assert (await console.get("/alerts")).status == 302
    await console.get("/sign-in/second-factor")
    assert 'src="data:image/svg+xml' in console.text
    secret = re.findall(r'id="secret">([A-Z2-7 ]+)<', console.text)[0]
    assert len(secret.replace(" ", "")) == 32
    await console.get("/sign-in/second-factor")
    assert secret in console.text, "reloading does not change it"
    assert (await console.post("/sign-in/second-factor", {"code": await _wrong(strict, "leader")})).status == 422
    assert (await console.post("/sign-in/second-factor", {"code": await _code(strict, "leader")})).status == 200
    assert len(_CODES.findall(console.text)) == 10
    assert (await console.get("/alerts")).status == 200
    await console.get("/me")
    assert (await console.post("/me/second-factor/off", {"proof_off": PASSWORD})).status == 422
    assert "您的角色要求两步验证" in console.text
    assert await strict.value("SELECT factor_on FROM account WHERE name = 'leader'")


async def test_a_session_without_the_factor_ends_when_the_account_becomes_an_office(strict: Web) -> None:
    console = await signed_in(strict, "zhang", ("author", DISTRICT))
    async with strict.database.connection() as connection:
        await connection.execute("UPDATE account_grant SET role = 'approver'")
    assert (await console.get("/alerts")).headers["Location"] == "/"


async def test_nobody_is_asked_where_the_setting_says_none(web: Web) -> None:
    await signed_in(web, "leader", ("approver", DISTRICT), ("administrator", DISTRICT))


async def test_a_session_ends_when_it_is_idle_and_after_its_longest_life(web: Web) -> None:
    console = await signed_in(web, "zhang", ("author", DISTRICT))
    for _ in range(6):
        web.clock.advance(119 * 60)
        assert (await console.get("/alerts")).status == 200
    web.clock.advance(7 * 60)
    assert (await console.get("/alerts")).status == 302, "twelve hours"
    await console.sign_in("zhang")
    assert (await console.get("/alerts")).status == 200
    web.clock.advance(120 * 60)
    assert (await console.get("/alerts")).status == 302, "two idle hours"


async def test_own_password_needs_the_present_one_and_signs_the_others_out(web: Web) -> None:
    console = await signed_in(web, "zhang", ("author", DISTRICT))
    other = Console(web)
    await other.sign_in("zhang")
    for fields, fault in (
        ({"current": "wrong", "password": NEW, "again": NEW}, "现在的密码不对"),
        ({"current": PASSWORD, "password": "short", "again": "short"}, "10 到 200 个字符"),
        ({"current": PASSWORD, "password": NEW, "again": NEW + "!"}, "两次输入的不一样"),
        ({"current": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "与现在不同的密码"),
    ):
        assert (await console.post("/me/password", fields)).status == 422
        assert fault in console.text
        assert NEW not in console.text
    done = await console.post("/me/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert (done.status, done.headers["Location"]) == (303, "/me?said=password_changed")
    assert (await console.get("/me?said=password_changed")).status == 200
    assert "密码已更换" in console.text
    assert (await other.get("/alerts")).status == 302
    assert (await other.sign_in("zhang")).status == 401
    assert (await other.sign_in("zhang", NEW)).status == 303


async def test_guessing_the_present_password_is_slowed_too(web: Web) -> None:
    console = await signed_in(web, "zhang", ("author", DISTRICT))
    for _ in range(5):
        await console.post("/me/password", {"current": "wrong", "password": NEW, "again": NEW})
    answer = await console.post("/me/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert answer.status == 429
    assert "失败次数太多" in console.text


async def test_other_devices_are_listed_and_signed_out_one_by_one_or_together(web: Web) -> None:
    console = await signed_in(web, "zhang", ("author", DISTRICT))
    others = [Console(web), Console(web)]
    for other in others:
        await other.sign_in("zhang")
    stranger = await signed_in(web, "li", ("author", DISTRICT))
    await console.get("/me")
    listed = re.findall(r"/me/sessions/(\d+)/end", console.text)
    assert len(listed) == 2, "all but this one can be ended"
    assert (await stranger.post(f"/me/sessions/{listed[0]}/end")).status == 404
    await console.post(f"/me/sessions/{listed[0]}/end")
    assert sorted([(await other.get("/alerts")).status for other in others]) == [200, 302]
    await console.post("/me/sessions/end-others")
    assert [(await other.get("/alerts")).status for other in others] == [302, 302]
    assert (await console.get("/alerts")).status == 200
    assert (await stranger.get("/alerts")).status == 200


async def test_a_browser_is_known_again_by_its_name(web: Web) -> None:
    await person(web, "zhang", ("author", DISTRICT))
    console = Console(web)
    await console.get("/")
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36 Edg/120"
    web.client.session.headers["User-Agent"] = agent
    await console.sign_in("zhang")
    await console.get("/me")
    assert "Edge · Windows" in console.text


async def test_switching_the_factor_off_and_new_recovery_codes_need_the_password(web: Web) -> None:
    console, codes = await _with_factor(web)
    await console.get("/me")
    assert (await console.post("/me/second-factor/codes", {"proof_codes": "wrong"})).status == 422
    assert (await console.post("/me/second-factor/codes", {"proof_codes": PASSWORD})).status == 200
    assert not set(_CODES.findall(console.text)) & set(codes)
    assert (await console.post("/me/second-factor/off", {"proof_off": "wrong"})).status == 422
    assert (await console.post("/me/second-factor/off", {"proof_off": PASSWORD})).status == 303
    assert (await console.get("/me")).status == 200, "this session goes on"
    assert await web.value("SELECT count(*) FROM recovery_code") == 0
    assert (await Console(web).sign_in("zhang")).headers["Location"] == "/alerts"
    await console.get("/me/second-factor")
    again = {"code": await _code(web, "zhang"), "current": PASSWORD}
    assert (await console.post("/me/second-factor", again)).status == 200, "a new secret, so no code of it was used"


async def test_no_secret_of_a_second_factor_lies_in_the_database(web: Web) -> None:
    _, codes = await _with_factor(web)
    account = await AccountRecord.get(name="zhang")
    offer = web.context.factor.offer(account.id, account.factor_seed, "zhang", "x")
    async with web.database.connection() as connection:
        stored = str(await connection.fetch("SELECT a, r FROM account a, recovery_code r"))
    assert offer.secret not in stored
    assert not any(code in stored for code in codes)


async def test_a_sign_in_that_waits_keeps_the_name_and_says_when(web: Web) -> None:
    await person(web, "zhang", ("author", DISTRICT))
    console = Console(web)
    for _ in range(5):
        assert (await console.sign_in("zhang", "wrong password")).status == 401
        assert 'value="zhang"' in console.text
    limited = await console.sign_in("zhang")
    assert (limited.status, limited.headers["Retry-After"]) == (429, "16")
    assert "请等 16 秒，08-10 03:00:16 以后再试" in console.text
    assert (await console.get("/?lang=en")).status == 200


async def test_what_cannot_be_an_accounts_name_is_refused_as_any_other_and_never_logged(web: Web) -> None:
    console = Console(web)
    with capture_logs() as logs:
        for name in ("A" * 5000, "a typed secret", "某人 13800000000"):
            assert (await console.sign_in(name)).status == 401
    assert {log["event"] for log in logs} <= {"request", "sign_in.refused", "audit.append"}
    assert not any(typed in str(logs) for typed in ("AAAA", "typed", "13800000000"))


async def test_a_form_in_an_encoding_of_halves_of_characters_is_refused(web: Web) -> None:
    console = Console(web)
    await console.get("/")
    answer = await web.client.post(
        "/sign-in",
        data=f"name=%5Cud800&password=x&form_token={console.form_token}",
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=unicode_escape",
            "Cookie": "; ".join(f"{name}={value}" for name, value in console.cookies.items()),
        },
    )
    assert answer.status == 400


@pytest.mark.parametrize(
    "told",
    [
        ["198.51.100.{n}, 203.0.113.9"],
        ["198.51.100.{n}", "203.0.113.9"],
        ["198.51.100.{n}, 203.0.113.9, 10.0.0.2"],
        ["198.51.100.{n}, 10.0.0.2, 203.0.113.9", "10.0.0.2"],
    ],
)
async def test_guesses_are_counted_by_what_the_outermost_of_our_proxies_saw(
    make_web: Make, context: Context, told: list[str]
) -> None:
    web = await make_web(replace(context, trusted_proxies=frozenset({"127.0.0.1", "10.0.0.2"})))
    await person(web, "zhang", ("author", DISTRICT))
    console, given = Console(web), web.client.session.headers
    for number in range(5):
        given.popall("X-Forwarded-For", None)
        for line in told:
            given.add("X-Forwarded-For", line.format(n=number))
        assert (await console.sign_in("zhang", "wrong password")).status == 401
    assert (await console.sign_in("zhang")).status == 429, "what somebody wrote before does not make them another"
    given.popall("X-Forwarded-For")
    given.add("X-Forwarded-For", "203.0.113.10")
    assert (await console.sign_in("zhang")).status == 303, "nobody else waits for it"
