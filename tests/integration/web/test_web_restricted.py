"""What is Restricted is for the people on duty: they are asked, and no household and no loudspeaker gets it."""

from __future__ import annotations

import pytest

from tests.harness.web import Web


@pytest.mark.parametrize("kind", ["mobilization", "warning"])
async def test_a_restricted_order_asks_the_units_and_reaches_no_household(web: Web, kind: str) -> None:
    number = await web.issued(kind=kind, scope="Restricted")
    await web.fan_out()
    assert await web.value("SELECT count(*) FROM unit WHERE alert_id = $1", number) == 2
    assert await web.value("SELECT count(*) FROM target") == 0
    assert await web.value("SELECT count(*) FROM delivery WHERE unit_id IS NULL") == 0
    progress = await (await web.ask("GET", f"/api/v1/alerts/{number}/progress")).json()
    assert (progress["planned"], progress["households"]["total"]) == (True, 0)


async def test_what_is_restricted_says_to_whom_and_stays_out_of_the_public_feed(web: Web) -> None:
    number = await web.issued(scope="Restricted")
    detail = await (await web.ask("GET", f"/api/v1/alerts/{number}")).json()
    assert detail["alert"]["restriction"] == "仅发责任人"
    assert detail["summary"]["identifier"] not in await (await web.client.get("/feeds/cap.atom")).text()
