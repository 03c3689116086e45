"""A roster of stations comes in by the same ways as the others."""

from __future__ import annotations

from pathlib import Path

from broadcaster.database import Database
from broadcaster.triggers import listing, roster
from broadcaster.triggers.station import Limits, StationKind
from tests.harness.web import TOWN

ROSTER = """测站名册
站码,站名,区划代码,经度,纬度,类型,分组,上报间隔（分钟）,警戒水位,保证水位,阈值
60701,上游站,330212101001,121.5,29.8,河道站,梁弄溪上游、重点,5,3.5,4.2,水位.rate=2; rainfall.high=200
60702,下游站,330212101002,,,雨量,,,x,,
60703,别处站,999999999999,,,河道,,,,,
60704,怪站,330212101001,,,飞碟,,0,,,water_level=1
"""


async def test_stations_are_added_and_updated_with_their_limits(district: Database, tmp_path: Path) -> None:
    file = tmp_path / "stations.csv"
    file.write_text(ROSTER, encoding="utf-8")
    async with district.connection() as connection:
        trial = await roster.stations(connection, file, dry_run=True)
        assert (trial.refused, await listing.stations(connection, [TOWN])) == (1, [])
        first = await roster.stations(connection, file)
        assert (first.changes["station"].added, first.refused) == (3, 1)
        assert {problem.column for problem in first.problems} >= {"警戒水位", "区划代码", "类型", "阈值"}
        again = await roster.stations(connection, file)
        assert (again.changes["station"].added, again.changes["station"].unchanged) == (0, 3)
        upper, lower, odd = await listing.stations(connection, [TOWN])
    assert (upper.name, upper.kind, upper.clusters, upper.period) == (
        "上游站",
        StationKind.RIVER,
        ("梁弄溪上游", "重点"),
        300,
    )
    assert upper.limits == {
        "water_level": Limits(warning=3.5, guarantee=4.2, rate=2),
        "rainfall": Limits(high=200),
    }
    assert (lower.kind, lower.limits, lower.period) == (StationKind.RAIN, {}, 3600)
    assert odd.kind is StationKind.OTHER
