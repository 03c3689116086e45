"""Whoever chose English, or asks for it, is told in English what is wrong and what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.harness.pages import reader
from tests.harness.web import Web, form

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("wanted", "english"),
    [
        ("en", True),
        ("en-GB,en;q=0.9,zh;q=0.5", True),
        ("fr, en;q=0.3", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", False),
        ("fr", False),
        ("*", False),
        ("en;q=0, zh", False),
        ("en;q=nonsense;;,=", False),
        ("", False),
    ],
)
async def test_a_problem_document_is_in_the_language_that_is_asked_for(web: Web, wanted: str, english: bool) -> None:
    answer = await web.ask("GET", "/api/v1/alerts/999999", headers={"Accept-Language": wanted} if wanted else {})
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (404, "not-found")
    if english:
        assert problem["detail"] == "There is no alert with number 999999."
        assert problem["remedy"] == "Choose again from the list."
    else:
        assert problem["detail"] == "没有编号为 999999 的预警。"
    assert answer.headers["Content-Language"] == ("en" if english else "zh")
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"hazard": "dragon"}, '"dragon" is no known hazard'),
        ({"regions": ["33"]}, 'regions[0]: "33" is no region code'),
        ({"valid_hours": "x"}, "valid_hours: expected"),
        ({"areas": [{"polygons": [[[1, 1], [2, 2]]]}]}, "needs at least 4 points"),
        ({"nonsense": 1}, "there is no such field"),
    ],
)
async def test_every_fault_of_a_form_is_named_in_english(web: Web, changed: dict[str, Any], named: str) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", json=form(**changed), headers={"Accept-Language": "en"})
    problem = await answer.json()
    assert answer.status == 400
    assert named in problem["detail"], problem
    assert not _CHINESE.search(problem["detail"] + problem["remedy"])


async def test_what_an_alert_lacks_is_told_in_english(web: Web) -> None:
    number = await web.draft(headline="", instruction="")
    answer = await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={}, headers={"Accept-Language": "en"})
    problem = await answer.json()
    assert answer.status == 422
    assert problem["detail"].startswith("You cannot submit an alert for review: ")
    assert not _CHINESE.search(problem["detail"] + problem["remedy"])


async def test_an_address_that_does_not_exist_is_an_english_problem(web: Web) -> None:
    answer = await web.client.get("/api/v1/nothing", headers={"Accept-Language": "en"})
    assert (await answer.json())["detail"] == "There is no such address."


async def test_an_error_page_is_in_the_language_that_was_chosen(web: Web) -> None:
    await reader(web)
    assert "没有编号为 999999 的预警" in await (await web.client.get("/alerts/999999?lang=zh")).text()
    text = await (await web.client.get("/alerts/999999?lang=en")).text()
    assert "There is no alert with number 999999. Choose again from the list." in text


@pytest.mark.parametrize("medium", ["phone", "email", "wechat"])
async def test_a_fault_beside_a_field_is_in_the_language_that_was_chosen(web: Web, medium: str) -> None:
    somebody = await reader(web, "administrator")
    await somebody.page("/alerts?lang=en")
    household = await web.value("SELECT min(id) FROM household")
    answer = await somebody.send(f"/audience/households/{household}/contacts", medium=medium, address="a")
    text = await answer.text()
    assert answer.status == 422, text
    fault = re.search(r'<p class="fault"[^>]*>([^<]+)</p>', text)
    assert fault, text
    assert not _CHINESE.search(fault[1]), fault[1]


async def test_what_is_wrong_with_a_template_and_a_policy_is_told_in_english(web: Web) -> None:
    somebody = await reader(web, "administrator")
    await somebody.page("/alerts?lang=en")
    answer = await somebody.send("/templates/typhoon/wording.zh-CN.j2", text="{{ nobody }}", seen="0")
    faults = re.findall(r'<p class="fault"[^>]*>([^<]+)</p>', await answer.text())
    assert faults
    assert faults[0].startswith("Line 1: there is no variable nobody; ")
    answer = await somebody.send(
        "/templates/typhoon/wording.zh-CN.j2", text="{% extends layout %}{{ 1 / 0 }}", seen="0"
    )
    faults += re.findall(r'<p class="fault"[^>]*>([^<]+)</p>', await answer.text())
    answer = await somebody.send("/policies/red", h0_sms="yes", h0_wait="soon", seen="0")
    text = await answer.text()
    assert "It must be a number from 0 to 86400 (seconds), not &#39;soon&#39;" in text
    faults += re.findall(r'<p class="fault"[^>]*>([^<]+)</p>', text)
    assert not _CHINESE.search("".join(faults)), faults


async def test_a_residents_page_refuses_in_english(web: Web) -> None:
    answer = await web.client.get("/r/nonsense?lang=en")
    text = await answer.text()
    assert answer.status == 404
    assert "The link is cut off or no longer good." in text
