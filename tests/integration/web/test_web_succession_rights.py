"""Whoever calls an alert off, or replaces it, needs the right over all of it, whatever area the new message names."""

from __future__ import annotations

import pytest

from tests.harness.pages import reader
from tests.harness.web import OTHER_TOWN, TOWN, Web, form


@pytest.mark.parametrize("msg_type", ["Cancel", "Update"])
@pytest.mark.parametrize("sent", [None, "2020-01-01T00:00:00+08:00"])
async def test_a_town_cannot_replace_the_alert_of_another(web: Web, msg_type: str, sent: str | None) -> None:
    number = await web.issued(regions=[TOWN, OTHER_TOWN])
    identifier = (await (await web.ask("GET", f"/api/v1/alerts/{number}")).json())["summary"]["identifier"]
    fields = {"msg_type": msg_type, "references": [identifier], "regions": [OTHER_TOWN]}
    if sent is not None:
        fields["sent"] = sent
    answer = await web.ask("POST", "/api/v1/alerts", region=OTHER_TOWN, json=form(**fields))
    assert answer.status == 403, await answer.text()
    allowed = await web.ask("POST", "/api/v1/alerts", json=form(**fields))
    assert allowed.status == 201, await allowed.text()


async def test_a_cancel_without_an_area_of_its_own_takes_its_steps(web: Web) -> None:
    number = await web.issued()
    identifier = (await (await web.ask("GET", f"/api/v1/alerts/{number}")).json())["summary"]["identifier"]
    fields = form(msg_type="Cancel", kind="all_clear", references=[identifier], regions=[])
    answer = await web.ask("POST", "/api/v1/alerts", json=fields)
    assert answer.status == 201, await answer.text()
    step = await web.ask("POST", f"/api/v1/alerts/{(await answer.json())['id']}/submit", json={})
    assert step.status == 200, await step.text()


async def test_who_may_not_somewhere_reads_the_names_of_the_places_not_their_codes(web: Web) -> None:
    number = await web.issued(regions=[TOWN, OTHER_TOWN])
    refused = await web.ask(
        "POST", "/api/v1/alerts", region=OTHER_TOWN, json=form(regions=[f"{TOWN}001", f"{TOWN}002"])
    )
    said = (await refused.json())["detail"]
    assert refused.status == 403
    assert "第1镇1001村、第1镇1002村" in said
    assert TOWN not in said
    officer = await reader(web, region=OTHER_TOWN)
    assert "在 第1镇 进行" in await (await officer.send(f"/alerts/{number}/update")).text()
    await officer.page("/alerts?lang=en")
    assert "in 第1镇." in await (await officer.send(f"/alerts/{number}/update")).text()


async def test_a_form_that_is_refused_somewhere_names_the_place_beside_its_button(web: Web) -> None:
    number = await web.draft(regions=[TOWN, OTHER_TOWN])
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})).status == 200
    chief = await reader(web, "approver", OTHER_TOWN)
    refused = await chief.send(f"/alerts/{number}/approve", version="2")
    assert refused.status == 422
    assert "在 第1镇 进行" in await refused.text()
