"""No page has a serious or critical finding of axe-core, in either language, at a desk or on a phone; each with each
in the long runs."""

from __future__ import annotations

import pytest

from tests.browser.visitor import Office
from tests.harness.web import TOWN, Web
from tests.integration.web.test_web_unreached import unreached_alert

BELOW_AN_ALERT = ("", "?view=wall", "/unreached", "/doors?region=330212101001", "/doors/print", "/report")
SIZES = {"desk": (1366, 768), "phone": (360, 740)}


@pytest.mark.parametrize(
    ("language", "size"),
    [
        ("zh", "phone"),
        ("en", "desk"),
        pytest.param("zh", "desk", marks=pytest.mark.soak),
        pytest.param("en", "phone", marks=pytest.mark.soak),
    ],
)
async def test_the_pages_have_no_serious_fault(office: Office, web: Web, language: str, size: str) -> None:
    name = await office.account("officer", "author", "approver", "administrator")
    visitor = await office.visitor(SIZES[size])
    await visitor.go(f"/?lang={language}")
    assert await visitor.violations() == [], "signing in"
    await visitor.sign_in(name)
    draft = await web.draft()
    home = await web.value("SELECT min(id) FROM household")
    duty = await web.value("SELECT min(id) FROM duty")
    number = await unreached_alert(web)
    for path in (
        "/alerts",
        *(f"/alerts/{number}{below}" for below in BELOW_AN_ALERT),
        "/audience",
        f"/audience?region={TOWN}001",
        f"/audience/households/{home}",
        "/audience/search?q=330212",
        "/audience/terminals",
        "/audience/dead",
        "/audience/imports",
        "/duties",
        "/duties/gaps",
        f"/duties/arrange?instead_of={duty}",
        "/compose",
        "/compose?status=Exercise",
        f"/alerts/{draft}/review",
        "/me",
        "/me/second-factor",
        "/accounts",
        "/accounts/new",
        "/accounts/1",
        "/accounts/1/tokens",
        "/audit",
        "/gateways",
        "/templates",
        "/templates/typhoon/wording.zh-CN.j2",
        "/policies",
        "/policies/red",
    ):
        await visitor.go(path)
        assert await visitor.violations() == [], path
