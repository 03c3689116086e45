"""The OpenAPI document is valid, complete, and true of what the handlers answer; nothing that is sent makes a 500."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from aiohttp import web as aiohttp_web
from openapi_spec_validator import OpenAPIV31SpecValidator

from broadcaster.web.api import TABLES
from tests.harness.web import Web, form

OUTSIDE = {"/api/v1/openapi.json"}
"""The document itself. What is not under `/api/` is for people, providers and monitors, and described in words."""


async def _document(web: Web) -> dict[str, Any]:
    document: dict[str, Any] = await (await web.client.get("/api/v1/openapi.json")).json()
    return document


async def test_the_document_is_valid_openapi_3_1(web: Web) -> None:
    document = await _document(web)
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


async def test_every_route_of_the_machine_interface_is_in_it(web: Web) -> None:
    document = await _document(web)
    described = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    served = {
        (route.resource.canonical, route.method)
        for route in web.client.app.router.routes()
        if isinstance(route, aiohttp_web.AbstractRoute) and route.resource is not None and route.method != "HEAD"
    }
    assert described <= served
    assert {path for path, _ in served - described if path.startswith("/api/")} == OUTSIDE


async def test_operations_have_names_of_their_own(web: Web) -> None:
    document = await _document(web)
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


async def test_every_operation_says_what_can_go_wrong(web: Web) -> None:
    document = await _document(web)
    for item in document["paths"].values():
        for operation in item.values():
            assert {"400", "401", "403", "503"} <= operation["responses"].keys(), operation["operationId"]


async def test_the_documented_problem_is_what_comes(web: Web) -> None:
    document = await _document(web)
    problem = await (await web.client.get("/api/v1/alerts")).json()
    schema = document["components"]["schemas"]["Problem"]
    assert problem.keys() <= schema["properties"].keys()
    assert set(schema["required"]) <= problem.keys()


_STRANGE: list[Any] = [
    None, True, 0, -1, 2**63, 2**70, 1.5, float("1e308"), "", "x", "\u0000", "\ud800", "' OR 1=1 --", "💥" * 400,
    "2026-13-99", [], [[]], [None], {}, {"": ""}, {"a": {"a": {"a": {}}}}, ["x"] * 50, "9" * 30, "<script>", "=1",
]  # fmt: skip
_RAW = [
    b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 20_000, b"{" * 500 + b"}" * 500, b'{"a":1}{"b":2}',
    b"\x00", b"1" * 400, b'{"version": 1e400}', b'{"a": "\\ud800"}', b"\xef\xbb\xbf{}",
]  # fmt: skip


def _valid(path: str) -> dict[str, Any]:
    if path.endswith(("/alerts", "/update")):
        return form()
    if path.endswith("/replies"):
        reply = {"id": "1", "address": "1", "text": "1", "at": "2026-01-01T00:00:00Z"}
        return {"channel": "sms", "rehearsal": False, "replies": [reply]}
    if path.endswith("/confirm"):
        return {"moved": 3, "note": "n"}
    if "/doors/" in path or "/visits/" in path:
        return {"id": "v-1", "result": "done"}
    if path.endswith("/close"):
        return {"note": "n"}
    return {"version": 1, "reason": "r"}


def _mutate(value: Any, chance: random.Random) -> Any:
    """`value` with one place somewhere in it made strange."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(list(value))
        action = chance.random()
        if action < 0.15:
            return {key: each for key, each in value.items() if key != name}
        if action < 0.25:
            return {**value, chance.choice(["extra", "", "\u0000", "id"]): chance.choice(_STRANGE)}
        return {**value, name: _mutate(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.6:
        return [_mutate(value[0], chance), *value[1:]]
    return chance.choice(_STRANGE)


def _posts() -> list[str]:
    return [endpoint.path for table in TABLES for endpoint in table if endpoint.method == "POST"]


@pytest.mark.parametrize("path", _posts())
async def test_no_body_makes_a_500(web: Web, path: str) -> None:
    number = await web.draft()
    chance = random.Random(path)
    role = "approver" if path.endswith(("approve", "reject", "end")) else "author"
    bodies = [json.dumps(_mutate(_valid(path), chance)).encode() for _ in range(60)]
    for body in [*_RAW, *bodies]:
        answer = await web.ask(
            "POST",
            path.format(id=number, unit=1, household=1, visit=1),
            role,
            data=body,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status < 500, (body, await answer.text())
        if answer.status >= 400:
            assert answer.content_type == "application/problem+json"
            assert (await answer.json())["detail"]


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=nope", "a/b/c"]
)
async def test_no_content_type_makes_a_500(web: Web, media: str) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", data=b"{}", headers={"Content-Type": media})
    assert answer.status in (201, 400)


async def test_no_query_makes_a_500(web: Web) -> None:
    number = await web.draft()
    chance = random.Random(7)
    for table in TABLES:
        for endpoint in table:
            if endpoint.method != "GET" or endpoint.path.endswith("/events"):
                continue
            names = [each.encode_name for each in msgspec.structs.fields(endpoint.query)]
            odd = [(chance.choice([*names, "x", ""]), chance.choice(_STRANGE)) for _ in range(25)]
            for name, value in [*odd, *((name, "\0") for name in names)]:
                params = {name: str(value).encode("utf-8", "replace").decode()}
                answer = await web.ask("GET", endpoint.path.format(id=number), "approver", params=params)
                assert answer.status < 500, (endpoint.path, params, await answer.text())


@pytest.mark.parametrize("number", ["0", "-1", "x", "1e3", "99999999999999999999", "%00", "１"])
async def test_no_number_makes_a_500(web: Web, number: str) -> None:
    for path in (f"/api/v1/alerts/{number}", f"/api/v1/alerts/{number}/progress", f"/alerts/{number}"):
        assert (await web.ask("GET", path)).status in (302, 404)
