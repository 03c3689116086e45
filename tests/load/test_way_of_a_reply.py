"""The way of a reply: from the carrier, WeChat's platforms, or the button behind a mail's link, to what the live page
reads."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.cli.serving import serve_web
from broadcaster.ports import Medium
from broadcaster.rehearsal.browser import Browser
from broadcaster.rehearsal.script import APPID, CORPID, USER
from broadcaster.tasks import ended
from tests.harness.ground import TOWN, VILLAGES, Ground, ground, quantile, row
from tests.harness.ports import free_port

LOOK = 0.002
"""Seconds between two looks at the progress."""

PATIENCE = 30.0

AT_ONCE = 50
"""Questions that the rehearsal is asked at the same time, each on a connection of its own."""

LINK = re.compile(r"https?://[^\s，。；、）)】”]+/r/[^\s，。；、）)】”]+")
BUTTON = "收到|确认"

EMAILS = """
INSERT INTO contact (person_id, medium, address, region_code, priority, active)
SELECT person_id, 'email', 'head' || address || '@example.org', '', 0, true
FROM contact WHERE medium = 'phone' AND person_id IS NOT NULL
"""
ON_PLATFORM = {
    "official": "'oDaohuOfficial' || lpad(person_id::text, 14, '0')",
    "wecom": "'wecom:head' || person_id",
}
"""Addresses of people on duty, by the driver that reaches them."""

ADDRESSES = "UPDATE contact SET address = {} WHERE medium = 'wechat' AND person_id IS NOT NULL"
HEADS = """
SELECT c.address FROM unit u JOIN duty d ON d.region_code = u.region JOIN contact c ON c.person_id = d.person_id
WHERE u.alert_id = $1 AND c.medium = $2 ORDER BY u.id
"""
STAGES = """
SELECT r.address, extract(epoch FROM r.stored_at)::float8 AS stored,
       extract(epoch FROM u.acknowledged_at)::float8 AS settled
FROM response r JOIN unit u ON u.response_id = r.id WHERE u.alert_id = $1
"""


def policies(channel: Medium, port: int = 0) -> str:
    web = f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n' if port else ""
    return f"""
{web}
[policies.red]
loudspeakers = false
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [
  {{ after = 0, action = "notify_primary", channels = ["{channel}"] }},
  {{ after = 3000, action = "duty_desk" }},
]
"""


async def seen(made: Ground, alert: int, count: int) -> float:
    """When the progress has so many confirmed units."""
    deadline = time.monotonic() + PATIENCE
    while (await made.progress(alert)).units.acknowledged < count:
        assert time.monotonic() < deadline, f"{count} units are not confirmed"
        await asyncio.sleep(LOOK)
    return time.time()


async def each(made: Ground, alert: int, answers: list[Callable[[], Awaitable[object]]]) -> list[float]:
    """One after the other: seconds from an answer to its unit on the page."""
    found = []
    for number, answer in enumerate(answers, 1):
        began = time.time()
        await answer()
        found.append(await seen(made, alert, number) - began)
    return found


@asynccontextmanager
async def told_by_cmpp(folder: Path, regions: list[str], units: int) -> AsyncIterator[tuple[Ground, int, list[str]]]:
    """An order that so many heads have in their hands; the phones that they have it on."""
    rates = {Medium.SMS: (2000.0, 2)}
    async with ground(
        folder, households=1000, rates=rates, policies=policies(Medium.SMS), drivers={Medium.SMS: "cmpp"}
    ) as made:
        await made.hire()
        await made.connected()
        order = await made.send("red", regions, to_heads=True)
        await made.taken(order.id, units)
        phones = await heads(made, order.id, "phone")
        assert len(phones) == units
        yield made, order.id, phones


async def heads(made: Ground, alert: int, medium: str) -> list[str]:
    """The addresses of those who are asked, in the order of their units."""
    async with made.house.database.connection() as connection:
        return [record["address"] for record in await connection.fetch(HEADS, alert, medium)]


@asynccontextmanager
async def told_by_wechat(
    folder: Path, driver: str, regions: list[str], units: int
) -> AsyncIterator[tuple[Ground, int, list[str]]]:
    """An order that so many heads have in WeChat; their addresses there. The web that is called is this process's."""
    port = free_port()
    async with ground(
        folder,
        households=1000,
        rates={Medium.WECHAT: (500.0, 2)},
        policies=policies(Medium.WECHAT, port),
        drivers={Medium.WECHAT: driver},
    ) as made:
        async with made.house.database.connection() as connection:
            await connection.execute(ADDRESSES.format(ON_PLATFORM[driver]))
        await made.carrier.client.call_back(
            driver, APPID if driver == "official" else CORPID, f"http://127.0.0.1:{port}/callbacks/wechat"
        )
        serving = asyncio.create_task(serve_web(made.house))
        try:
            await made.hire()
            await made.connected()
            order = await made.send("red", regions, to_heads=True)
            await made.taken(order.id, units)
            addresses = await heads(made, order.id, "wechat")
            assert len(addresses) == units
            yield made, order.id, addresses
        finally:
            await ended(serving)


def by_sms(made: Ground) -> Callable[[str], Awaitable[object]]:
    """A text message from a number."""
    return lambda phone: made.carrier.client.say(USER, phone, "1")


def by_text(made: Ground) -> Callable[[str], Awaitable[object]]:
    """A text that a follower writes to the official account."""
    return lambda openid: made.carrier.client.say(APPID, openid, "1")


def by_button(made: Ground) -> Callable[[str], Awaitable[object]]:
    """The button on a member's card."""
    return lambda member: made.carrier.client.press(CORPID, member)


ON_WECHAT = {"official": by_text, "wecom": by_button}


async def by_word(
    made: Ground, alert: int, addresses: list[str], say: Callable[[str], Awaitable[object]]
) -> tuple[list[float], list[float], list[float]]:
    """Seconds from what somebody says or presses until stored, until settled, until seen; one after the other."""
    shown = await each(made, alert, [lambda to=one: say(to) for one in addresses])  # type: ignore[misc]
    written = {address: at for _, address, _, at in (await made.report()).replies}
    async with made.house.database.connection() as connection:
        stages = await connection.fetch(STAGES, alert)
    stored = [one["stored"] - written[one["address"]] for one in stages]
    settled = [one["settled"] - written[one["address"]] for one in stages]
    return stored, settled, shown


@asynccontextmanager
async def told_by_mail(folder: Path, regions: list[str], units: int) -> AsyncIterator[tuple[Ground, int, list[str]]]:
    """An order that so many heads have in their mailbox; the links in it."""
    rates = {Medium.SMS: (2000.0, 1), Medium.EMAIL: (500.0, 2)}
    given = policies(Medium.EMAIL, free_port())
    async with ground(
        folder, households=1000, rates=rates, policies=given, drivers={Medium.EMAIL: "smtp"}, texts_kept=10_000
    ) as made:
        async with made.house.database.connection() as connection:
            await connection.execute(EMAILS)
        serving = asyncio.create_task(serve_web(made.house))
        try:
            await made.hire()
            await made.connected()
            order = await made.send("red", regions, to_heads=True)
            await made.taken(order.id, units)
            report = await made.report()
            texts = [report.texts[one.text_hash] for one in report.taken if one.channel == Medium.EMAIL]
            links = [found.group() for text in texts if (found := LINK.search(text))]
            assert len(links) == units
            yield made, order.id, links
        finally:
            await ended(serving)


async def test_a_reply_by_sms_is_on_the_page_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reply")
    async with told_by_cmpp(folder, [TOWN], 20) as (made, alert, phones):
        stored, settled, shown = await by_word(made, alert, phones, by_sms(made))
    assert len(stored) == len(settled) == len(shown) == 20


@pytest.mark.parametrize("driver", list(ON_WECHAT))
async def test_a_reply_by_wechat_is_on_the_page_at_once(tmp_path_factory: pytest.TempPathFactory, driver: str) -> None:
    folder = tmp_path_factory.mktemp("wechat")
    async with told_by_wechat(folder, driver, [TOWN], 20) as (made, alert, addresses):
        stored, settled, shown = await by_word(made, alert, addresses, ON_WECHAT[driver](made))
    assert len(stored) == len(settled) == len(shown) == 20


async def test_the_button_behind_a_mails_link_is_on_the_page_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("button")
    async with told_by_mail(folder, [TOWN], 20) as (made, alert, links):
        browser = Browser()
        shown = await each(made, alert, [lambda to=link: browser.open(to, BUTTON, {}) for link in links])  # type: ignore[misc]
    assert len(shown) == 20


@pytest.mark.soak
async def test_five_hundred_replies_one_after_the_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    table = ["| seconds | n | p50 | p99 | max |", "|---|---|---|---|---|"]
    async with told_by_cmpp(tmp_path_factory.mktemp("replies"), [DISTRICT_CODE], VILLAGES) as (made, alert, phones):
        stored, settled, shown = await by_word(made, alert, phones, by_sms(made))
    table += [
        row("reply by CMPP: the carrier writes it … stored", stored),
        row("… understood, the unit confirmed", settled),
        row("… what the live page reads", shown),
    ]
    on_wechat = []
    for driver, what in (("official", "reply to the official account"), ("wecom", "button on WeCom's card")):
        folder = tmp_path_factory.mktemp(driver)
        async with told_by_wechat(folder, driver, [DISTRICT_CODE], VILLAGES) as (made, alert, addresses):
            stored, settled, seen_at = await by_word(made, alert, addresses, ON_WECHAT[driver](made))
        on_wechat += seen_at
        table += [
            row(f"{what}: said … stored", stored),
            row("… understood, the unit confirmed", settled),
            row("… what the live page reads", seen_at),
        ]
    async with told_by_mail(tmp_path_factory.mktemp("buttons"), [DISTRICT_CODE], VILLAGES) as (made, alert, links):
        browser = Browser()
        pressed = await each(made, alert, [lambda to=link: browser.open(to, BUTTON, {}) for link in links])  # type: ignore[misc]
    table.append(row("a mail's link: page opened, button pressed … what the live page reads", pressed))
    sys.stdout.write("\n" + "\n".join(table) + "\n")
    assert quantile(shown, 0.99) <= 2.0
    assert quantile(pressed, 0.99) <= 2.0
    assert quantile(on_wechat, 0.99) <= 2.0


@pytest.mark.soak
async def test_five_hundred_replies_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with told_by_cmpp(tmp_path_factory.mktemp("burst"), [DISTRICT_CODE], VILLAGES) as (made, alert, phones):
        began = time.time()
        for start in range(0, len(phones), AT_ONCE):
            together = phones[start : start + AT_ONCE]
            await asyncio.gather(*(made.carrier.client.say(USER, phone, "1") for phone in together))
        last = await seen(made, alert, VILLAGES) - began
        async with made.house.database.connection() as connection:
            stages = await connection.fetch(STAGES, alert)
        written = {address: at for _, address, _, at in (await made.report()).replies}
    settled = [one["settled"] - written[one["address"]] for one in stages]
    sys.stdout.write(
        f"\n{row('500 replies at once, each … the unit confirmed', settled)}\nlast on the page: {last:.2f} s\n"
    )
    assert quantile(settled, 1.0) <= 10.0
