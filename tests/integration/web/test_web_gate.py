"""The gate: credentials, sizes, methods, headers and problems, whoever knocks."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from broadcaster.security import accounts, credentials, entrance
from broadcaster.security.permissions import SYSTEM, Grant, Role
from broadcaster.web.app import LARGEST_BODY, build_app, start
from broadcaster.web.envelope import LEFT
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until
from tests.harness.web import DISTRICT, PASSWORD, Web, form


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic YTpi",
        "Bearer dh_" + "A" * 16 + "_" + "A" * 43,
        "bearer ' OR 1=1 --",
        "Bearer \u6536",
    ],
)
async def test_without_a_good_token_nothing_is_answered(web: Web, header: str) -> None:
    await web.token("author")
    for method, path in (("GET", "/api/v1/alerts"), ("POST", "/api/v1/alerts"), ("GET", "/api/v1/alerts/1/events")):
        answer = await web.client.request(method, path, headers={"Authorization": header} if header else {})
        problem = await answer.json()
        assert (answer.status, problem["code"], problem["status"]) == (401, "unauthenticated", 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_an_expired_or_tampered_token_is_refused(web: Web) -> None:
    account = await accounts.create_account(
        web.database, SYSTEM, "feed", PASSWORD, grants=[Grant(Role.AUTHOR, DISTRICT)], now=web.clock.now()
    )
    token = await credentials.grant_token(account, "feed", web.clock.now(), life=timedelta(hours=1))
    good = {"Authorization": f"Bearer {token}"}
    assert (await web.client.get("/api/v1/alerts", headers=good)).status == 200
    tampered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    assert (await web.client.get("/api/v1/alerts", headers={"Authorization": f"Bearer {tampered}"})).status == 401
    web.clock.advance(3600)
    assert (await web.client.get("/api/v1/alerts", headers=good)).status == 401


async def test_a_session_cookie_reads_but_never_writes(web: Web) -> None:
    await web.token("author")
    name = f"author-{DISTRICT}"
    session = (await entrance.sign_in(web.database, name, PASSWORD, "", web.clock.now())).session
    cookie = {"Cookie": f"daohu_session={session}"}
    assert (await web.client.get("/api/v1/alerts", headers=cookie)).status == 200
    assert (await web.client.post("/api/v1/alerts", headers=cookie, json=form())).status == 401


async def test_an_oversized_body_is_refused(web: Web) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", data=io.BytesIO(b"x" * (LARGEST_BODY + 1)))
    assert (answer.status, answer.content_type) == (413, "application/problem+json")
    assert await web.value("SELECT count(*) FROM alert") == 0


async def test_what_comes_packed_is_refused_and_never_unpacked(web: Web) -> None:
    port = free_port()
    runner = await start(build_app(web.context), "127.0.0.1", port)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\n"
        writer.write(f"{head}Content-Length: 9\r\n\r\nno gzip..".encode())
        answer = (await reader.read()).decode()
        writer.close()
    finally:
        await runner.cleanup()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "不接受压缩过的请求内容" in answer


async def test_whoever_leaves_in_the_middle_of_a_form_is_not_taken_for_a_database_that_is_away(web: Web) -> None:
    def noted() -> list[object]:
        return [log["status"] for log in logs if log["event"] == "request"]

    port = free_port()
    runner = await start(build_app(web.context), "127.0.0.1", port)
    try:
        with capture_logs() as logs:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            writer.write(f"{head}Content-Length: 99999\r\n\r\nname=a".encode())
            await wait_until(lambda: runner.server is not None and runner.server.connections)
            writer.close()
            await wait_until(noted)
    finally:
        await runner.cleanup()
    assert noted() == [LEFT]
    assert not any(log["event"] == "request.database_away" for log in logs)


async def test_unknown_places_and_methods_are_problems_for_machines_and_pages_for_people(web: Web) -> None:
    nowhere = await web.client.get("/api/v1/nowhere")
    assert (nowhere.status, nowhere.content_type) == (404, "application/problem+json")
    wrong = await web.client.delete("/api/v1/alerts")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET,POST")
    page = await web.client.get("/nowhere")
    assert (page.status, page.content_type) == (404, "text/html")
    assert "没有找到" in await page.text()


async def test_every_answer_carries_the_security_headers(web: Web) -> None:
    for path in ("/", "/api/v1/alerts", "/static/live.js", "/healthz", "/nowhere", "/feeds/cap.atom"):
        headers = (await web.client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Server"] == "daohu"
        assert headers["X-Request-ID"]


async def test_what_a_caller_sends_does_not_become_a_header_or_a_log_line(web: Web) -> None:
    answer = await web.client.get("/healthz", headers={"X-Request-ID": "abc def; drop"})
    assert "drop" not in answer.headers["X-Request-ID"]
    given = await web.client.get("/healthz", headers={"X-Request-ID": "0123-abcd-ef"})
    assert given.headers["X-Request-ID"] == "0123-abcd-ef"
    injected = await web.client.get("/?lang=en%0d%0aSet-Cookie:%20a=b")
    assert injected.status == 200
    assert "a=b" not in str(injected.headers)


async def test_the_log_names_routes_and_accounts_but_no_tokens_and_no_addresses(web: Web) -> None:
    token = await web.token("author")
    with capture_logs() as logs:
        await web.ask("GET", "/api/v1/alerts?state=draft")
        await web.client.get("/r/a-secret-token")
        await web.client.get("/nowhere/13800000000")
    lines = [log for log in logs if log["event"] == "request"]
    assert [log["route"] for log in lines] == ["/api/v1/alerts", "/r/{token}", "(none)"]
    assert [bool(log["account"]) for log in lines] == [True, False, False]
    assert not any(secret in str(logs) for secret in (token, "a-secret-token", "127.0.0.1", "13800000000"))


async def test_a_fault_of_ours_is_a_problem_without_details(web: Web) -> None:
    number = await web.draft()
    async with web.database.connection() as connection:
        await connection.execute("ALTER TABLE chunk RENAME TO lost")
    with capture_logs() as logs:
        answer = await web.ask("GET", f"/api/v1/alerts/{number}/progress")
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (500, "internal")
    assert "chunk" not in str(problem)
    assert problem["instance"].endswith(answer.headers["X-Request-ID"])
    assert any(log["event"] == "request.failed" for log in logs)


async def test_the_metrics_count_requests_by_route(web: Web) -> None:
    await web.client.get("/r/a-secret-token")
    text = await (await web.client.get("/metrics")).text()
    assert 'daohu_http_requests_total{method="GET",route="/r/{token}",status="404"}' in text
    assert "a-secret-token" not in text


async def test_a_part_of_a_page_whose_session_is_over_sends_the_whole_page_to_sign_in(web: Web) -> None:
    answer = await web.client.get("/gateways/-/status", headers={"HX-Request": "true"}, allow_redirects=False)
    assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/")
    whole = await web.client.get("/gateways", allow_redirects=False)
    assert (whole.status, whole.headers["Location"]) == (302, "/")
