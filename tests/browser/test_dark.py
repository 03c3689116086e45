"""In a dark room: pages that follow the browser's wish for dark can be read."""

from __future__ import annotations

from tests.browser.visitor import Office
from tests.harness.stations import put_to_work
from tests.harness.web import DISTRICT, Web
from tests.integration.web.test_rules import RULE, look, measure


async def test_what_changed_in_a_rule_can_be_read_in_the_dark(office: Office, web: Web) -> None:
    visitor = await office.visitor((360, 740), color_scheme="dark")
    await visitor.sign_in(await office.account("officer", "author", "approver", "administrator"))
    await measure(web, 1.0, 5.5, 5.6)
    await put_to_work(web.database, DISTRICT, "river", RULE, web.clock.now())
    await look(web)
    page = visitor.page
    await visitor.go("/rules/river")
    await page.fill("textarea", RULE.replace("5.0", "5.5"))
    await page.click("form.code button")
    for path in ("/alerts", "/rules/river", "/rules/river/versions/2", "/stations", "/sources", "/incoming"):
        await visitor.go(path)
        assert await visitor.violations() == [], path
