"""The plan over the API: for whoever may see the alert, in either language, whatever stands in its way said."""

from __future__ import annotations

from tests.harness.web import OTHER_TOWN, TOWN, Web


async def test_a_draft_is_planned_as_if_it_were_issued_now(web: Web) -> None:
    number = await web.draft()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/plan", "viewer", TOWN)
    assert answer.status == 200, await answer.text()
    outlook = await answer.json()
    assert outlook["alert_id"] == number
    forecast = outlook["forecast"]
    assert forecast["audience"] == {
        "households": 6, "vulnerable": 6, "unreachable": 0, "terminals": 0, "units": 2, "holderless": 0
    }  # fmt: skip
    by_channel = {one["channel"]: one for one in forecast["steps"][0]["channels"]}
    assert by_channel["sms"]["messages"] == 6
    assert by_channel["sms"]["finishes"] is None
    assert by_channel["sms"]["parts"] == 6 * forecast["text"]["parts_most"]
    assert {(one["code"], one["channel"]) for one in outlook["findings"]} >= {("no_gateway", "sms")}


async def test_an_issued_alert_is_planned_by_its_frozen_policy_and_text(web: Web) -> None:
    number = await web.issued()
    before = (await (await web.ask("GET", f"/api/v1/alerts/{number}/plan")).json())["forecast"]
    async with web.database.connection() as connection:
        await connection.execute(
            """
            UPDATE alert SET policy = jsonb_set(policy::jsonb, '{households}', '[{"channels": ["email"], "wait": 5}]')
            WHERE id = $1
            """,
            number,
        )
    after = (await (await web.ask("GET", f"/api/v1/alerts/{number}/plan")).json())["forecast"]
    assert [len(before["steps"]), len(after["steps"])] == [3, 1]
    assert before["expires_in"] == after["expires_in"] == 12 * 3600


async def test_findings_are_told_in_either_language(web: Web) -> None:
    number = await web.draft()
    path = f"/api/v1/alerts/{number}/plan"
    chinese, english = [
        (await (await web.ask("GET", f"{path}{query}")).json())["findings"][0]["what"] for query in ("", "?lang=en")
    ]
    assert "没有可用于真实发布的网关" in chinese
    assert "no gateway for actual alerts" in english
    assert (await web.ask("GET", f"{path}?lang=fr")).status == 400


async def test_who_may_not_see_the_alert_gets_no_plan(web: Web) -> None:
    number = await web.draft()
    path = f"/api/v1/alerts/{number}/plan"
    assert (await web.ask("GET", path, region=OTHER_TOWN)).status == 404
    assert (await web.ask("GET", "/api/v1/alerts/999/plan")).status == 404
    assert (await web.client.get(path)).status == 401


async def test_an_alert_for_nobody_is_told_so(web: Web) -> None:
    number = await web.draft(regions=["330212999"])
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/plan")
    assert answer.status == 422
    assert "没有任何住户" in (await answer.json())["detail"]


async def test_the_plan_is_in_the_document(web: Web) -> None:
    document = await (await web.client.get("/api/v1/openapi.json")).json()
    operation = document["paths"]["/api/v1/alerts/{id}/plan"]["get"]
    assert operation["x-required-action"] == "alert.see"
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Outlook")
