"""Whoever calls an alert off, or replaces it, needs the right over all of it, whatever area the new message names."""

from __future__ import annotations

import pytest

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
