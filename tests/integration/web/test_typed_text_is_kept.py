"""A form in which something is wrong comes back with the fault beside its field and with everything that was typed."""

from __future__ import annotations

import html
import re

import pytest

from tests.harness.pages import Reader, reader
from tests.harness.web import Web
from tests.integration.web.test_web_desk import silent

RULE = """title = "river"
hazard = "flood"
stations = ["s-1"]
[[levels]]
colour = "red"
do = "hold"
when = [{ element = "water_level", above = 5.0 }]
"""


async def _refused(somebody: Reader, path: str, field: str, status: int = 422, /, **given: str) -> str:
    """The page that comes back; its fault stands beside `field`, which is marked and tied to it."""
    answer = await somebody.send(path, **given)
    text = html.unescape(await answer.text())
    assert answer.status == status, (path, answer.status, text[-500:])
    assert f'id="fault-{field}"' in text
    assert re.search(rf'<(?:input|textarea|select)[^>]* name="{field}"[^>]*aria-invalid="true"[^>]*fault-{field}', text)
    for value in given.values():
        assert value in text
    return text


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": "City Platform", "url": "https://example.cn/hook"}),
        ("url", {"name": "city", "url": "ftp://example.cn/"}),
        ("url", {"name": "city", "url": "https://user:word@example.cn/"}),
        ("name", {"name": "taken", "url": "https://example.cn/other"}),
    ],
)
async def test_a_subscriber_that_cannot_be_added(web: Web, field: str, given: dict[str, str]) -> None:
    somebody = await reader(web, "administrator")
    added = await somebody.send("/subscribers", name="taken", url="https://example.cn/one", side="live")
    assert "whsec_" in await added.text()
    text = await _refused(somebody, "/subscribers", field, 422, **given, side="drill", private="yes")
    assert re.search(r'value="drill"\s+selected', text)
    assert re.search(r'name="private" value="yes"\s+checked', text)
    assert await web.value("SELECT count(*) FROM subscriber") == 1


async def test_a_rule_that_is_wrong_and_one_that_somebody_else_has_changed(web: Web) -> None:
    somebody = await reader(web, "administrator")
    await _refused(somebody, "/rules", "name", name="Bad Name")
    await _refused(somebody, "/rules/river", "text", text=RULE.replace("flood", "dragon"), note="why so", seen="0")
    await _refused(somebody, "/rules/river", "text", text="title = ", note="why so", seen="0")
    assert (await somebody.send("/rules/river", text=RULE, seen="0")).status == 303
    mine = {"text": RULE.replace("5.0", "6.5"), "note": "higher"}
    text = await _refused(somebody, "/rules/river", "text", 409, **mine, seen="0")
    assert 'name="seen" value="1"' in text
    assert (await somebody.send("/rules/river", **mine, seen="1")).status == 303, "it can be saved once it was shown"


async def test_a_template_that_somebody_else_has_changed(web: Web) -> None:
    somebody = await reader(web, "administrator")
    page = html.unescape(await somebody.page("/templates/typhoon/wording.zh-CN.j2"))
    found = re.search(r'<textarea id="text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found
    path, text = "/templates/typhoon/wording.zh-CN.j2", found[1]
    assert (await somebody.send(path, text=f"{text}{{# theirs #}}", seen="0")).status == 303
    shown = await (await somebody.send(path, text=f"{text}{{# mine #}}", note="mine", seen="0")).text()
    assert 'name="seen" value="1"' in shown
    assert (await somebody.send(path, text=f"{text}{{# mine #}}", note="mine", seen="1")).status == 303


async def test_a_confirmation_by_telephone_with_a_number_that_is_none(web: Web) -> None:
    number = await silent(web)
    somebody = await reader(web, "author")
    page = await somebody.page("/alerts")
    [first, *_] = re.findall(rf'action="(/alerts/{number}/units/\d+/confirm)"', page)
    text = await _refused(somebody, first, "moved", moved="twelve")
    assert text.count('aria-invalid="true"') == 1
    assert (await somebody.send(first, moved="12")).status == 303
    assert await web.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 1
