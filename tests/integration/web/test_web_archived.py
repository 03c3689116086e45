"""An archived alert still accounts for itself: figures, who was not reached, units; and says where the rest is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from broadcaster.alerts import authoring
from broadcaster.archive.archivist import Archived, Archivist
from broadcaster.dispatch.closing import close_due
from broadcaster.escalation import tick
from tests.harness.web import TOWN, Web


async def over(web: Web, number: int) -> None:
    """Its time is up, and a month passes."""
    web.clock.advance(13 * 3600)
    now = web.clock.now()
    await close_due(web.database, now)
    await tick.cancel_closed(web.database, now)
    async with web.database.transaction() as connection:
        assert number in await authoring.end_expired(connection, now)
    web.clock.advance(31 * 86_400)


async def test_the_accounting_stays_and_the_single_deliveries_are_gone(web: Web, tmp_path: Path) -> None:
    number = await web.issued()
    await web.fan_out()
    await over(web, number)
    path = f"/api/v1/alerts/{number}"

    async def read(what: str) -> object:
        answer = await web.ask("GET", f"{path}/{what}", region=TOWN)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    before = {what: await read(what) for what in ("progress", "unreached", "units")}

    async def no_rest(_seconds: float) -> None:
        pass

    archivist = Archivist(web.database, web.clock, tmp_path / "archive", no_rest)
    assert isinstance(await archivist.archive(number, web.clock.now() - timedelta(days=30)), Archived)
    after = {what: await read(what) for what in before}
    assert isinstance(before["progress"], dict)
    assert isinstance(after["progress"], dict)
    assert before["progress"]["archived_at"] is None
    assert after["progress"].pop("archived_at")
    before["progress"].pop("archived_at")
    assert after == before
    assert before["progress"]["households"]["unreached"] == 6
    gone = await web.ask("GET", f"{path}/deliveries", region=TOWN)
    assert gone.status == 410
    problem = await gone.json()
    assert problem["code"] == "archived"
    assert f"alert-{number}" in problem["remedy"]
