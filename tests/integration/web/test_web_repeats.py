"""Idempotency-Key: repeated requests do the work once."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness.web import Web, form


async def test_a_repeated_request_gets_the_first_answer(web: Web) -> None:
    first = await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    again = await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    assert (first.status, again.status) == (201, 201)
    assert await first.read() == await again.read()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert await web.value("SELECT count(*) FROM alert") == 1


async def test_the_same_key_for_another_request_is_a_conflict(web: Web) -> None:
    await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    other = await web.ask("POST", "/api/v1/alerts", json=form(headline="另一条"), headers={"Idempotency-Key": "a-1"})
    assert other.status == 409
    assert await web.value("SELECT count(*) FROM alert") == 1


async def test_keys_of_different_accounts_do_not_meet(web: Web) -> None:
    await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    other = await web.ask("POST", "/api/v1/alerts", region="", json=form(), headers={"Idempotency-Key": "a-1"})
    assert other.status == 201
    assert await web.value("SELECT count(*) FROM alert") == 2


async def test_concurrent_requests_with_one_key_are_one_execution(web: Web) -> None:
    await web.token("author")
    asked = [web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"}) for _ in range(8)]
    answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers} == {201}
    assert len({await answer.read() for answer in answers}) == 1
    assert await web.value("SELECT count(*) FROM alert") == 1


async def test_a_refused_request_may_be_corrected_under_the_same_key(web: Web) -> None:
    wrong = await web.ask("POST", "/api/v1/alerts", json=form(hazard="locusts"), headers={"Idempotency-Key": "a-1"})
    right = await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    assert (wrong.status, right.status) == (400, 201)


async def test_a_key_is_forgotten_after_a_day(web: Web) -> None:
    await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    web.clock.advance(24 * 3600)
    again = await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": "a-1"})
    assert "Idempotency-Replayed" not in again.headers
    assert await web.value("SELECT count(*) FROM kept_answer") == 1


async def test_issuing_twice_under_one_key_issues_once(web: Web) -> None:
    number = await web.draft()
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 2})
    asked = [
        web.ask("POST", f"/api/v1/alerts/{number}/issue", json={}, headers={"Idempotency-Key": "go"}) for _ in range(3)
    ]
    assert [answer.status for answer in await asyncio.gather(*asked)] == [200, 200, 200]
    assert await web.value("SELECT count(*) FROM run") == 1
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'alert.issue'") == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "收到"])
async def test_a_key_that_is_none_is_refused(web: Web, key: str) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", json=form(), headers={"Idempotency-Key": key})
    assert answer.status == 400
