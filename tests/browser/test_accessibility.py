"""No page has a serious or critical finding of axe-core, in either language, at a desk or on a phone."""

from __future__ import annotations

import pytest

from tests.browser.visitor import Office
from tests.harness.web import Web

SIZES = {"desk": (1366, 768), "phone": (360, 740)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_pages_have_no_serious_fault(office: Office, web: Web, size: str, language: str) -> None:
    name = await office.account("officer", "author", "approver", "administrator")
    visitor = await office.visitor(SIZES[size])
    await visitor.go(f"/?lang={language}")
    assert await visitor.violations() == [], "signing in"
    await visitor.sign_in(name)
    for path in (
        "/alerts",
        "/gateways",
        "/templates",
        "/templates/typhoon/wording.zh-CN.j2",
        "/policies",
        "/policies/red",
        "/me",
        "/me/second-factor",
        "/accounts",
        "/accounts/new",
        "/accounts/1",
        "/accounts/1/tokens",
        "/audit",
    ):
        await visitor.go(path)
        assert await visitor.violations() == [], path
