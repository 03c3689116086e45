"""Villages' QR codes: made once by the platform, kept, and printed on posters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.errors import NotFoundError, UnavailableError
from broadcaster.rosters.followers import SCENE
from broadcaster.rosters.invitations import Invitation, invitations
from broadcaster.testing.memory import MemoryJournal
from broadcaster.web.context import Context
from broadcaster.web.documents import posters
from channels.wechat.official import plugin as official
from tests.contract.wechat_peer import settings
from tests.harness.cloud import CloudProcess, running_cloud
from tests.harness.pages import reader
from tests.harness.ports import free_port
from tests.harness.web import DISTRICT, TOWN, Make, Web


@pytest.fixture
def account() -> Iterator[CloudProcess]:
    with running_cloud("official") as process:
        yield process


async def test_every_village_has_its_code_and_keeps_it(
    account: CloudProcess, district: Database, clock: ManualClock
) -> None:
    gateway = settings("official", account.port)
    town = await invitations(district, clock, gateway, official, MemoryJournal(), TOWN)
    assert [(one.region, one.name, one.town) for one in town] == [
        (f"{TOWN}001", "1001村", "第1镇"),
        (f"{TOWN}002", "1002村", "第1镇"),
    ]
    assert {one.content for one in town} == {"http://weixin.qq.com/q/02000000", "http://weixin.qq.com/q/02000001"}
    whole = await invitations(district, clock, gateway, official, MemoryJournal(), DISTRICT)
    assert len(whole) == 4
    assert whole[:2] == town, "a poster that hangs on a wall stays good"
    said = (await account.ask("platform"))["asked"]
    assert said.count("/cgi-bin/qrcode/create") == 4
    assert set((await account.ask("platform"))["codes"]) == {f"{SCENE}{one.region}" for one in whole}
    unreachable = replace(gateway, options={**gateway.options, "endpoint": f"http://127.0.0.1:{free_port()}"})
    assert await invitations(district, clock, unreachable, official, MemoryJournal(), TOWN) == town
    with pytest.raises(UnavailableError):
        await invitations(district, clock, replace(unreachable, name="another"), official, MemoryJournal(), TOWN)
    with pytest.raises(NotFoundError):
        await invitations(district, clock, gateway, official, MemoryJournal(), "110101")


async def test_the_posters_have_a_page_for_each_village(
    account: CloudProcess, district: Database, clock: ManualClock
) -> None:
    found = await invitations(district, clock, settings("official", account.port), official, MemoryJournal(), DISTRICT)
    made = posters.write(found, "鄞州区应急管理局")
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", made)) == 4
    assert len(made) < 200_000


async def test_a_towns_posters_are_fetched_from_its_page(
    account: CloudProcess, make_web: Make, context: Context, clock: ManualClock
) -> None:
    gateway = settings("official", account.port)

    async def invite(region: str) -> list[Invitation]:
        return await invitations(context.database, clock, gateway, official, MemoryJournal(), region)

    web: Web = await make_web(replace(context, invite=invite))
    visitor = await reader(web)
    assert f"/audience/posters.pdf?region={TOWN}" in await visitor.page(f"/audience?region={TOWN}")
    assert "posters.pdf" not in await visitor.page(f"/audience?region={DISTRICT}")
    answer = await web.client.get(f"/audience/posters.pdf?region={TOWN}")
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    assert len(re.findall(rb"/Type /Page\b", await answer.read())) == 2
    await visitor.page(f"/audience/posters.pdf?region={DISTRICT}", 400)


async def test_without_an_official_account_there_are_no_posters(make_web: Make, context: Context) -> None:
    visitor = await reader(await make_web(context))
    assert "posters.pdf" not in await visitor.page(f"/audience?region={TOWN}")
    await visitor.page(f"/audience/posters.pdf?region={TOWN}", 404)
