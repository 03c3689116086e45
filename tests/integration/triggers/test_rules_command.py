"""Stations by roster, rules listed and replayed, as the commands' users see it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.clock import SystemClock
from broadcaster.database import Database
from broadcaster.embedded import EmbeddedServers
from broadcaster.security.permissions import SYSTEM
from broadcaster.triggers import rules
from broadcaster.triggers.readings import Readings
from tests.harness.processes import last_object, run_daohu
from tests.harness.stations import course
from tests.integration.web.test_rules import RULE

REGIONS = "编码,名称\n330212,鄞州区\n330212101,一镇\n330212101001,一村\n"
STATIONS = "站码,站名,区划代码,类型\ns-1,一站,330212101001,河道站\n"


@pytest.fixture
def office() -> Iterator[tuple[Path, str]]:
    with tempfile.TemporaryDirectory(prefix="daohu-") as name:
        folder = Path(name)
        servers = EmbeddedServers(folder / "data")
        with servers:
            done = run_daohu("init", "--code", "330212", "--name", "鄞州区", folder=folder, within=240)
            assert done.returncode == 0, done.stderr
            yield folder, servers.start().database_url


async def test_what_a_rule_would_have_done_is_told(office: tuple[Path, str]) -> None:
    folder, url = office
    for name, text in (("regions", REGIONS), ("stations", STATIONS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        done = run_daohu("import", name, f"{name}.csv", folder=folder, within=240)
        assert done.returncode == 0, done.stderr + done.stdout
    database = await Database.open(url)
    try:
        now = datetime.now(UTC)
        await rules.save(database, SYSTEM, "330212", "river", RULE, issuing=[], seen=0, note="", now=now)
        await rules.put_to_work(database, SYSTEM, "330212", "river", 1, "shadow", now, own=True)
        measured = course("s-1", "water_level", now - timedelta(hours=20), [1.0, 5.5, *[1.0] * 100])
        await Readings(database, SystemClock(), 30).keep(measured, source="t")
    finally:
        await database.close()
    listed = run_daohu("rules", "list", "--json", folder=folder, within=240)
    assert last_object(listed.stdout)["rules"][0] | {"trouble": ""} == {
        "name": "river",
        "newest": 1,
        "version": 1,
        "mode": "shadow",
        "colour": None,
        "trouble": "",
    }
    start = f"{now - timedelta(days=1):%Y-%m-%d}"
    told = last_object(
        run_daohu("rules", "replay", "river", "--from", start, "--json", folder=folder, within=240).stdout
    )
    assert [(step["step"], step["colour"], step["do"]) for step in told["steps"]] == [
        ("raise", "red", "hold"),
        ("clear", "red", "draft"),
    ]
    assert told["readings"] == 102
    wrong = run_daohu("rules", "replay", "river", "--from", "soon", folder=folder, within=240)
    assert (wrong.returncode, "不是时间" in wrong.stderr) == (2, True)
    assert run_daohu("rules", "replay", "nothing", folder=folder, within=240).returncode in (1, 2)
