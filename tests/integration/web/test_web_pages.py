"""The pages: signing in, the status of an alert, and that nothing written in data runs in a browser."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from aiohttp import ClientResponse

from broadcaster.settings import Settings
from broadcaster.web.context import Context
from tests.harness.field import unit_link
from tests.harness.web import DISTRICT, PASSWORD, TOWN, Make, Web

SCRIPT = "<script>alert(1)</script>"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


async def _sign_in(web: Web, role: str = "author", region: str = DISTRICT, password: str = PASSWORD) -> ClientResponse:
    await web.token(role, region)
    form = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region}", "password": password, "form_token": _TOKEN.findall(form)[0]}
    return await web.client.post("/sign-in", data=fields, allow_redirects=False)


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(web: Web) -> None:
    answer = await _sign_in(web)
    assert (answer.status, answer.headers["Location"]) == (303, "/alerts")
    cookie = answer.headers.getall("Set-Cookie")[0]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert (await web.client.get("/alerts")).status == 200


async def test_pages_ask_who_you_are_first(web: Web) -> None:
    for path in ("/alerts", "/alerts/1", "/alerts/1/status"):
        answer = await web.client.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, "/")


async def test_a_wrong_password_is_refused_without_saying_which_half_was_wrong(web: Web) -> None:
    known = await _sign_in(web, password="wrong password")
    assert known.status == 401
    form = await (await web.client.get("/")).text()
    fields = {"name": "nobody", "password": "wrong password", "form_token": _TOKEN.findall(form)[0]}
    unknown = await web.client.post("/sign-in", data=fields)
    fault = re.compile(r'role="alert">([^<]+)<')
    assert fault.findall(await known.text()) == fault.findall(await unknown.text())


async def test_guessing_is_slowed_and_said(web: Web) -> None:
    for _ in range(5):
        assert (await _sign_in(web, password="wrong password")).status == 401
    answer = await _sign_in(web)
    assert answer.status == 429
    assert "15" in await answer.text() or "16" in await answer.text()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
async def test_a_form_of_another_site_is_refused(web: Web, headers: dict[str, str]) -> None:
    form = await (await web.client.get("/")).text()
    fields = {"name": "a", "password": "b", "form_token": _TOKEN.findall(form)[0]}
    assert (await web.client.post("/sign-in", data=fields, headers=headers)).status == 403


async def test_a_form_without_its_token_is_refused(web: Web) -> None:
    await _sign_in(web)
    for token in ("", "0" * 64, "收到"):
        answer = await web.client.post("/sign-out", data={"form_token": token}, allow_redirects=False)
        assert answer.status == 403
    assert (await web.client.get("/alerts", allow_redirects=False)).status == 200


async def test_signing_out_ends_the_session_in_the_database_too(web: Web) -> None:
    signed = await _sign_in(web)
    cookie = signed.cookies["daohu_session"].value
    page = await (await web.client.get("/alerts")).text()
    await web.client.post("/sign-out", data={"form_token": _TOKEN.findall(page)[0]}, allow_redirects=False)
    answer = await web.client.get("/alerts", headers={"Cookie": f"daohu_session={cookie}"}, allow_redirects=False)
    assert answer.status == 302
    again = await web.client.get("/", headers={"Cookie": f"daohu_session={cookie}"}, allow_redirects=False)
    assert again.status == 200, "a dead cookie leads to the form, not round in circles"


@pytest.mark.parametrize("body", [b"\xff=\xff", b"a" * 100_000, b"=&=&=", b"name=%00&password=%ff"])
async def test_no_form_makes_a_500(web: Web, body: bytes) -> None:
    for path in ("/sign-in", "/sign-out", "/r/x"):
        for media in (
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=nope",
            "text/plain",
        ):
            answer = await web.client.post(path, data=body, headers={"Content-Type": media})
            assert answer.status < 500, (path, media)


@pytest.mark.parametrize(
    ("header", "status"),
    [("Cookie: daohu_session=\udcff", 403), ("Cookie: daohu_form=\udcff", 403)],
)
async def test_bytes_that_are_no_text_lead_to_the_form_and_not_to_an_error(web: Web, header: str, status: int) -> None:
    for method, expected in (("GET", 200), ("POST", status)):
        body = "" if method == "GET" else "name=a&password=b"
        reader, writer = await asyncio.open_connection(web.client.host, web.client.port)
        head = (
            f"{method} /{'' if method == 'GET' else 'sign-in'} HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n"
        )
        media = "Content-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}{media}Content-Length: {len(body)}\r\n\r\n{body}".encode("utf-8", "surrogateescape"))
        answer = await reader.read()
        writer.close()
        assert answer.startswith(f"HTTP/1.1 {expected} ".encode()), method


@pytest.mark.parametrize("encoding", ["punycode", "-PunyCode", "idna", "utf-16", "gbk", "nope"])
async def test_a_form_is_read_in_the_encoding_of_browsers_and_in_none_that_takes_minutes(
    web: Web, encoding: str
) -> None:
    link, _ = await unit_link(web)
    headers = {"Content-Type": f"application/x-www-form-urlencoded; charset={encoding}"}
    for path in ("/sign-in", link):
        answer = await web.client.post(path, data=b"answer=confirm-", headers=headers)
        assert answer.status == 400, path
        assert "表单内容无法读取" in await answer.text(), path


async def test_the_list_shows_what_the_reader_may_see(web: Web) -> None:
    await web.draft(headline="给第一镇的预警")
    await _sign_in(web, region="330212102")
    assert "给第一镇的预警" not in await (await web.client.get("/alerts")).text()
    web.client.session.cookie_jar.clear()
    await _sign_in(web, region=TOWN)
    text = await (await web.client.get("/alerts")).text()
    assert "给第一镇的预警" in text
    assert "草稿" in text


async def test_the_list_tells_what_holds_from_what_was_replaced(web: Web) -> None:
    number = await web.issued()
    await _sign_in(web)
    assert "已被取代" not in await (await web.client.get("/alerts")).text()
    async with web.database.connection() as connection:
        await connection.execute("UPDATE alert SET superseded_by = 'the update' WHERE id = $1", number)
    assert "已被取代" in await (await web.client.get("/alerts")).text()


async def test_the_status_page_accounts_for_every_household(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    await _sign_in(web)
    text = await (await web.client.get(f"/alerts/{number}")).text()
    for word in ("台风红色预警", "应通知", "已到户", "等待中", "未到户", "责任单元", "短信", "待发", "1001村"):
        assert word in text, word
    part = await (await web.client.get(f"/alerts/{number}/status")).text()
    assert "<html" not in part
    assert "应通知" in part


async def test_what_is_not_issued_has_no_figures_that_could_be_taken_for_an_outcome(web: Web) -> None:
    number = await web.draft()
    await _sign_in(web)
    text = await (await web.client.get(f"/alerts/{number}")).text()
    assert "还没有发布，没有发给任何人" in text
    assert "应通知" not in text
    assert "时间线" in text


async def test_a_reader_of_another_region_finds_no_page(web: Web) -> None:
    number = await web.draft()
    await _sign_in(web, region="330212102")
    assert (await web.client.get(f"/alerts/{number}")).status == 404


async def test_a_viewer_sees_counts_but_no_names(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    await _sign_in(web, "viewer")
    text = await (await web.client.get(f"/alerts/{number}")).text()
    assert "应通知" in text
    assert "unreached.csv" not in text
    assert "逐个单元" not in text


async def test_a_script_in_a_name_is_only_text(web: Web) -> None:
    number = await web.issued(headline=f"预警{SCRIPT}", description=SCRIPT, instruction=f"请转移{SCRIPT}")
    await web.fan_out()
    async with web.database.connection() as connection:
        await connection.execute("UPDATE region SET name = $1", SCRIPT)
        await connection.execute("UPDATE person SET name = $1", SCRIPT)
        await connection.execute(
            "INSERT INTO help_request (alert_id, response_id, region, address, text, created_at, repeated_at)"
            " VALUES ($1, 1, '', '', $2, $3, $3)",
            number,
            f'" onmouseover=alert(1) {SCRIPT}',
            web.clock.now(),
        )
    await _sign_in(web)
    for path in ("/alerts", f"/alerts/{number}", f"/alerts/{number}/status"):
        text = await (await web.client.get(path)).text()
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text
        assert '" onmouseover' not in text


async def test_the_pages_speak_english_when_asked_and_remember(web: Web) -> None:
    assert "登录" in await (await web.client.get("/")).text()
    assert "Sign in" in await (await web.client.get("/?lang=en")).text()
    assert "Sign in" in await (await web.client.get("/")).text()
    assert '<html lang="zh-Hans">' in await (await web.client.get("/?lang=zh")).text()


async def test_no_page_has_a_script_or_style_of_its_own(web: Web) -> None:
    number = await web.issued()
    await _sign_in(web)
    for path in ("/alerts", f"/alerts/{number}", "/nowhere"):
        text = await (await web.client.get(path)).text()
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", text), path


async def test_the_cookie_stays_off_plain_lines_where_there_is_tls(
    make_web: Make, context: Context, settings: Settings
) -> None:
    secure = replace(context, settings=replace(settings, web=replace(settings.web, public_url="https://daohu.example")))
    web = await make_web(secure)
    answer = await web.client.get("/")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]
