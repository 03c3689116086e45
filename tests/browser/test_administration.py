"""An administrator at work: a template, a policy, a gateway; what is being written is shown before it is saved."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from broadcaster.dispatch import slots, trials
from broadcaster.dispatch.lineup import Lineup, Word
from broadcaster.ports import Accepted, DeliveryKey
from broadcaster.settings import Settings, settings_from
from tests.browser.visitor import Office, Visitor
from tests.harness.web import DISTRICT, Web

TYPHOON = "/templates/typhoon/wording.zh-CN.j2"


@pytest.fixture
def settings() -> Settings:
    line = {"driver": "rehearsal", "address": "tcp:127.0.0.1:9"}
    return settings_from(
        {
            "district": {"code": DISTRICT, "name": "鄞州区"},
            "web": {"public_url": "http://127.0.0.1:8480"},
            "gateways": [
                {"name": "town-sms", "channel": "sms", "rate": 50, "slots": 2, **line},
                {"name": "calls", "channel": "voice", "rate": 5, **line},
                {"name": "drill-sms", "channel": "sms", "rate": 50, "rehearsal": True, **line},
            ],
        }
    )


async def administrator(office: Office, size: tuple[int, int] = (1366, 768)) -> Visitor:
    visitor = await office.visitor(size)
    await visitor.sign_in(await office.account("admin", "administrator"))
    return visitor


async def test_a_template_is_shown_as_it_is_written_and_saved_once_it_works(office: Office) -> None:
    visitor = await administrator(office)
    page = visitor.page
    await visitor.go(TYPHOON)
    await page.fill("#text", "{% extends layout %}{% block aid %}请到文化礼堂。{{ plce }}{% endblock %}")
    await expect(page.locator("#preview")).to_contain_text("没有变量 plce")
    await page.click("button[value=save]")
    await expect(page.locator("#fault-text")).to_contain_text("是不是 place")
    assert await visitor.violations() == []
    await page.fill("#text", "{% extends layout %}{% block aid %}请到文化礼堂。{% endblock %}")
    await expect(page.locator("#preview .sent").first).to_contain_text("请到文化礼堂。")
    await page.select_option("#sample select[name=colour]", "blue")
    await expect(page.locator("#preview .sent").first).to_contain_text("蓝色")
    await page.fill("#note", "汛期安置点")
    await page.click("button[value=save]")
    await expect(page.get_by_role("status")).to_contain_text("已保存")
    await expect(page.locator("ol")).to_contain_text("汛期安置点")
    await page.click("ol a")
    await expect(page.locator("ins").first).to_be_visible()
    assert await visitor.violations() == []


async def test_a_policys_timeline_follows_what_is_typed(office: Office) -> None:
    visitor = await administrator(office)
    page = visitor.page
    await visitor.go("/policies/red")
    await page.fill("[name=size_households]", "30000")
    await expect(page.locator("#timeline")).to_contain_text("30,000")
    await page.fill("#h0_wait", "soon")
    await expect(page.locator("#timeline")).to_contain_text("改正后显示时间线")
    await page.click("button[value=save]")
    await expect(page.locator("#fault-h0_wait")).to_be_visible()
    await expect(page.locator("#h0_wait")).to_have_value("soon")
    await page.fill("#h0_wait", "90")
    await expect(page.locator("#timeline table")).to_be_visible()
    await page.click("button[value=save]")
    await expect(page.get_by_role("status")).to_contain_text("已保存")
    await visitor.go("/policies/red/versions/1")
    assert await visitor.violations() == []


async def test_a_gateways_page_follows_its_gateway(office: Office, web: Web) -> None:
    visitor = await administrator(office)
    page = visitor.page
    await visitor.go("/gateways/town-sms")
    await page.fill("#note", "光缆断")
    async with web.database.connection() as connection:
        gateway = await slots.register(connection, web.context.settings.gateways[0])
        await slots.hold(connection, gateway, "worker-1", 60, alive=1, mine={})
    line = Lineup(web.database, "worker-1", [gateway])
    await line.beat([Word(gateway.id, 1, True, "closed", "", idle=True, given=900, connected=True)])
    await expect(page.locator("#live")).to_contain_text("worker-1")
    await expect(page.locator("#note")).to_have_value("光缆断")
    await page.fill("#address", "13800138000")
    await page.check("[name=sure]")
    await page.click("form[action$=trial] button")
    await expect(page.locator("#live")).to_contain_text("等待发送")
    [taken] = await trials.take(web.database, "worker-1", {gateway.id: False}, web.clock.now())
    accepted = Accepted(DeliveryKey(trials.NO_ALERT, taken.trial, 1), "gw-77")
    await trials.settle(web.database, taken.trial, accepted, web.clock.now())
    await expect(page.locator("#live")).to_contain_text("网关已接收")
    assert await visitor.violations() == []
    await page.fill("#note", "光缆断")
    await page.click("form[action$=pause] button")
    await expect(page.get_by_role("status")).to_contain_text("网关已暂停")
    await page.click("form[action$=resume] button")
    await expect(page.get_by_role("status")).to_contain_text("恢复使用")
