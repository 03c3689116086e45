"""No page has a serious or critical finding of axe-core, in either language, at a desk or on a phone; each with each
in the long runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.security.permissions import SYSTEM
from broadcaster.triggers.readings import Readings
from broadcaster.webhooks import subscribers
from broadcaster.webhooks.subscribers import Wanted
from tests.browser.visitor import Office
from tests.harness.stations import course, put_to_work, register
from tests.harness.warnings import foreign, xml
from tests.harness.web import DISTRICT, TOWN, Web
from tests.integration.web.test_rules import RULE, look, measure
from tests.integration.web.test_web_unreached import unreached_alert

BELOW_AN_ALERT = ("", "?view=wall", "/unreached", "/doors?region=330212101001", "/doors/print", "/report")
SIZES = {"desk": (1366, 768), "phone": (360, 740)}


async def received(web: Web) -> int:
    """A message that somebody must see to; its number."""
    document = xml(foreign())
    return int(
        await web.value(
            "INSERT INTO incoming (source, document, digest, received_at, state, headline, colour, msg_type, status)"
            " VALUES ('met', $1, $2, $3, 'waiting', '台风橙色预警', 'orange', 'Alert', 'Actual') RETURNING id",
            document,
            b"0" * 32,
            web.clock.now(),
        )
    )


async def subscribed(web: Web) -> None:
    """A subscriber to whom a message could not be brought."""
    now = web.clock.now()
    number = await subscribers.add(
        web.database, SYSTEM, DISTRICT, Wanted("city", "https://warn.example.cn/hook"), web.context.secrets, now
    )
    await web.value(
        "INSERT INTO webhook (subscriber_id, alert_id, queued_at, next_at, state, settled_at, attempts)"
        " VALUES ($1, (SELECT min(id) FROM alert), $2, $2, 'dead', $2, 9) RETURNING id",
        number,
        now,
    )


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
    station = await register(web.database, "s-1", f"{TOWN}001", limits={"water_level": {"warning": 2.0}})
    start = web.clock.now() - timedelta(hours=4)
    measured = course("s-1", "water_level", start, [1.0, 1.5, 2.5, 9999.0, 2.2])
    await Readings(web.database, web.clock, 30).keep(measured, source="t")
    await measure(web, 1.0, 5.5, 5.6, code="s-2")
    await put_to_work(web.database, DISTRICT, "river", RULE.replace("s-1", "s-2"), web.clock.now())
    await look(web)
    message = await received(web)
    await subscribed(web)
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
        "/incoming",
        f"/incoming/{message}",
        "/sources",
        "/subscribers",
        "/templates",
        "/templates/typhoon/wording.zh-CN.j2",
        "/policies",
        "/policies/red",
        "/stations",
        f"/stations/{station}",
        "/rules",
        "/rules/flood",
        "/rules/river",
        "/rules/river/versions/1",
        "/rules/river/replay?days=1",
    ):
        await visitor.go(path)
        assert await visitor.violations() == [], path
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
