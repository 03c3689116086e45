"""Rosters into the database: everything that is good, nothing twice, nothing by halves, and a word on every bad row."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat

import asyncpg
import pytest
from openpyxl import Workbook

from audiences import exporting, generator, importing
from audiences.errors import AudienceError, FileError
from audiences.importing import Changes, ImportReport
from audiences.selection import Selection
from broadcaster.database import Database

NOW = datetime(2026, 8, 9, tzinfo=UTC)
HEADER = "户号,户主,网格编码,地址,经度,纬度,电话1,电话2,微信,邮箱,标签"
GOOD = "H1,张三,330212001001001,村口1号,121.55,29.8,13800138000,,wxid_zhang3,,独居老人"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as raw:
        yield raw


@pytest.fixture
async def regions(connection: asyncpg.Connection, tmp_path: Path) -> None:
    codes = ("330212", "330212001", "330212001001", "330212001001001", "330212001001002", "330212001002")
    path = tmp_path / "known.csv"
    path.write_text("编码,名称\n" + "\n".join(f"{code},区域{code}" for code in codes), encoding="utf-8")
    report = await importing.regions(connection, path)
    assert report.changes["region"].added == len(codes)


async def households(
    connection: asyncpg.Connection, folder: Path, *rows: str, header: str = HEADER, dry_run: bool = False
) -> ImportReport:
    path = folder / "households.csv"
    path.write_text("\n".join((header, *rows)), encoding="utf-8")
    return await importing.households(connection, path, dry_run=dry_run)


async def contacts(connection: asyncpg.Connection, household: str = "H1") -> list[tuple[str, str, bool]]:
    rows = await connection.fetch(
        "SELECT c.medium, c.address, c.active FROM contact c JOIN household h ON h.id = c.household_id"
        " WHERE h.external_id = $1 ORDER BY c.medium, c.priority, c.address",
        household,
    )
    return [tuple(row) for row in rows]


SNAPSHOTS = (
    "SELECT code, name, level, parent_code, lon, lat, outline FROM region ORDER BY code",
    "SELECT external_id, region_code, name, address, lon, lat, tags, risk, size, active FROM household ORDER BY 1",
    "SELECT external_id, name, language FROM person ORDER BY 1",
    "SELECT h.external_id AS home, p.external_id AS who, medium, c.address, c.region_code, priority, c.active"
    " FROM contact c LEFT JOIN household h ON h.id = c.household_id LEFT JOIN person p ON p.id = c.person_id"
    " ORDER BY 1, 2, 3, 4",
    "SELECT external_id, name, region_code, lon, lat, kind, address, active FROM terminal ORDER BY 1",
    "SELECT p.external_id, region_code, role, rank FROM duty d JOIN person p ON p.id = d.person_id ORDER BY 1, 2",
)


async def snapshot(connection: asyncpg.Connection) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in await connection.fetch(sql)] for sql in SNAPSHOTS]


async def import_all(connection: asyncpg.Connection, folder: Path) -> list[ImportReport]:
    return [
        await importing.regions(connection, folder / "regions.geojson"),
        await importing.households(connection, folder / "households.csv"),
        await importing.duties(connection, folder / "duties.csv", at=NOW),
        await importing.terminals(connection, folder / "terminals.csv"),
    ]


async def test_a_district_stored_and_the_same_district_imported_are_the_same(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    district = generator.plan(11, 300)
    await generator.store(connection, district)
    stored = await snapshot(connection)
    assert all(stored)
    await connection.execute("TRUNCATE region, household, person, contact, terminal, duty")

    generator.write(district, tmp_path)
    reports = await import_all(connection, tmp_path)
    assert [problem for report in reports for problem in report.problems] == []
    assert await snapshot(connection) == stored

    for report in await import_all(connection, tmp_path):
        assert report.changes
        assert all(change == Changes(unchanged=change.unchanged) for change in report.changes.values())
    assert await snapshot(connection) == stored


async def test_a_district_is_not_poured_into_a_database_in_use(connection: asyncpg.Connection, regions: None) -> None:
    with pytest.raises(AudienceError, match="region"):
        await generator.store(connection, generator.plan(1, 10))


async def test_records_can_be_added_after_a_district_was_stored(database: Database) -> None:
    from audiences.records import Household

    async with database.connection() as connection:
        await generator.store(connection, generator.plan(1, 10))
    added = await Household.create(external_id="new", region_code="330212001001001", name="新户")
    assert added.id == 11
    assert (await Household.get(id=11)).tags == []


async def test_a_good_row_is_stored_with_its_contacts_and_risk(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    report = await households(connection, tmp_path, GOOD)
    assert (report.rows, report.refused, report.problem_count) == (1, 0, 0)
    home = await connection.fetchrow("SELECT * FROM household")
    assert (home["name"], home["region_code"], home["lon"], home["lat"]) == ("张三", "330212001001001", 121.55, 29.8)
    assert (home["tags"], home["risk"], home["active"]) == (["lives_alone"], 60, True)
    assert await contacts(connection) == [("phone", "13800138000", True), ("wechat", "wxid_zhang3", True)]


async def test_every_bad_cell_is_reported_and_what_is_good_is_kept(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    report = await households(
        connection,
        tmp_path,
        GOOD,
        ",无号,330212001001001,,,,,,,,",
        "H3,张三丰,999999001001001,,,,,,,,",
        "H4,李四,330212001001001,,29.8,121.5,12345,13900139000,,,",
        "H5,王五,330212001,,,,,,,,",
        "H6,赵六,330212001001001,a,b,c,,,,,,多出来的",
        "H7,钱七,330212001001001,,,,13800138007,,汉字,nobody@,<b>",
    )
    found = [(problem.row, problem.column, problem.kept) for problem in report.problems]
    assert found == [
        (3, "户号", False),
        (4, "网格编码", False),
        (5, "纬度", True),
        (5, "电话1", True),
        (6, "网格编码", False),
        (7, "整行", False),
        (8, "微信", True),
        (8, "邮箱", True),
        (8, "标签", True),
    ]
    assert (report.rows, report.refused, report.changes["household"].added) == (7, 4, 3)
    assert await contacts(connection, "H4") == [("phone", "13900139000", True)]
    said = "\n".join(map(str, report.problems))
    assert "11 位" in said
    assert "张三丰" not in said
    assert "12345”" not in said


async def test_importing_again_updates_what_changed_and_nothing_else(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    await households(connection, tmp_path, GOOD, "H2,李四,330212001001001,,,,13900139000,,,,")
    before = await connection.fetchval("SELECT id FROM household WHERE external_id = 'H1'")
    report = await households(
        connection,
        tmp_path,
        "H1,张三,330212001001002,,,,13800138001,,wxid_zhang3,,低洼",
        "H3,新户,330212001002,,,,,,,,",
    )
    assert report.changes["household"] == Changes(added=1, updated=1)
    assert report.changes["contact"] == Changes(added=1, updated=1, unchanged=0, deactivated=1)
    home = await connection.fetchrow("SELECT * FROM household WHERE external_id = 'H1'")
    assert home["id"] == before
    assert (home["address"], home["lon"], home["tags"], home["risk"]) == ("村口1号", 121.55, ["low_lying"], 70)
    assert await contacts(connection) == [
        ("phone", "13800138000", False),
        ("phone", "13800138001", True),
        ("wechat", "wxid_zhang3", True),
    ]
    moved = "SELECT DISTINCT c.region_code FROM contact c JOIN household h ON h.id = c.household_id WHERE h.id = $1"
    assert await connection.fetch(moved, before) == [("330212001001002",)]
    assert await contacts(connection, "H2") == [("phone", "13900139000", True)]


async def test_a_file_that_says_nothing_of_phones_silences_none(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    await households(connection, tmp_path, GOOD)
    report = await households(connection, tmp_path, "H1,330212001001001,危房", header="户号,网格编码,标签")
    assert report.changes["contact"].deactivated == 0
    await households(connection, tmp_path, "H1,330212001001001,1380013800", header="户号,网格编码,电话")
    assert ("phone", "13800138000", True) in await contacts(connection)


async def test_rows_of_one_household_are_merged_with_all_their_contacts_tags_and_people(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    report = await households(
        connection,
        tmp_path,
        "H1,330212001001001,张三,138 0013 8000,独居老人,",
        "H1,330212001001001,李梅,+8613800138000、0574-88123456,残疾,en",
        "H1,330212001001002,王五,13700137000,,",
        "H2,330212001001001,赵六、钱七,13600136000,,",
        header="户号,网格编码,姓名,电话,标签,语言",
    )
    assert (report.rows, report.merged, report.refused) == (4, 1, 1)
    assert [problem.row for problem in report.problems] == [4]
    home = await connection.fetchrow("SELECT * FROM household WHERE external_id = 'H1'")
    assert (home["tags"], home["risk"], home["size"]) == (["disabled", "lives_alone"], 20, 2)
    assert await contacts(connection) == [("phone", "13800138000", True), ("phone", "057488123456", True)]
    owners = await connection.fetch(
        "SELECT c.address, p.name, p.language FROM contact c LEFT JOIN person p ON p.id = c.person_id ORDER BY 1"
    )
    assert [tuple(row) for row in owners] == [
        ("057488123456", "李梅", "en"),
        ("13600136000", None, None),
        ("13800138000", "张三", "zh-CN"),
    ]


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    await households(connection, tmp_path, GOOD)
    before = await snapshot(connection)
    rows = (GOOD.replace("村口", "村尾"), GOOD.replace("H1", "H2"))
    rehearsed = await households(connection, tmp_path, *rows, dry_run=True)
    assert await snapshot(connection) == before
    real = await households(connection, tmp_path, *rows)
    assert rehearsed.dry_run
    assert rehearsed.changes == real.changes
    assert real.changes["household"] == Changes(added=1, updated=1)


async def test_an_import_that_dies_leaves_nothing_and_can_be_repeated(
    database: Database, connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    path = tmp_path / "households.csv"
    path.write_text("\n".join([HEADER, *(GOOD.replace("H1", f"H{n}") for n in range(9_000))]), encoding="utf-8")
    for death in (0.1, 0.45, 0.6, 0.9):
        async with database.connection() as victim:
            process = victim.get_server_pid()

            def die(rows: int, fraction: float, death: float = death) -> None:
                if fraction > death:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                await importing.households(victim, path, progress=die)
            assert victim.get_server_pid() == process
        assert await connection.fetchval("SELECT count(*) FROM household") == 0
        assert await connection.fetchval("SELECT count(*) FROM contact") == 0
    report = await importing.households(connection, path)
    assert report.changes["household"].added == 9_000


async def test_two_imports_at_once_take_turns(database: Database, regions: None, tmp_path: Path) -> None:
    import asyncio

    async def one(name: str, address: str) -> None:
        path = tmp_path / f"{name}.csv"
        rows = (f"H{n},{name},330212001001001,{address},,,1380013{n:04d},,,," for n in range(500))
        path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
        async with database.connection() as connection:
            await importing.households(connection, path)

    await asyncio.gather(one("甲", "东"), one("乙", "西"))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM household") == 500
        assert await connection.fetchval("SELECT count(*) FROM contact WHERE active") == 500
        assert await connection.fetchval("SELECT count(DISTINCT (name, address)) FROM household") == 1


async def test_an_import_works_inside_a_transaction_of_the_caller(
    database: Database, regions: None, tmp_path: Path
) -> None:
    async with database.transaction() as connection:
        await households(connection, tmp_path, GOOD)
        await households(connection, tmp_path, GOOD.replace("H1", "H2"))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM household") == 2


async def test_progress_only_grows_and_ends_at_the_whole(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    path = tmp_path / "households.csv"
    path.write_text("\n".join([HEADER, *(GOOD.replace("H1", f"H{n}") for n in range(10_000))]), encoding="utf-8")
    told: list[tuple[int, float]] = []
    await importing.households(connection, path, progress=lambda rows, fraction: told.append((rows, fraction)))
    assert told == sorted(told)
    assert told[-1] == (10_000, 1.0)
    assert len(told) > 5


async def test_an_xlsx_roster_is_as_good_as_a_csv(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["2026 年住户名册"])
    book.active.append(HEADER.split(","))
    book.active.append(["H1", "张三", 330212001001001, "", 121.55, 29.8, 13800138000, None, None, None, "独居老人"])
    book.save(tmp_path / "roster.xlsx")
    report = await importing.households(connection, tmp_path / "roster.xlsx")
    assert (report.rows, report.problem_count) == (1, 0)
    assert await contacts(connection) == [("phone", "13800138000", True)]


async def test_a_workbook_is_read_beside_the_loop_that_sends(
    connection: asyncpg.Connection, regions: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(HEADER.split(","))
    book.active.append(["H1", "张三", "330212001001001"])
    book.save(tmp_path / "roster.xlsx")
    readers: list[threading.Thread] = []
    create = expat.ParserCreate

    def noting(*options: Any, **named: Any) -> expat.XMLParserType:
        readers.append(threading.current_thread())
        return create(*options, **named)

    monkeypatch.setattr(expat, "ParserCreate", noting)
    await importing.households(connection, tmp_path / "roster.xlsx")
    assert readers
    assert threading.main_thread() not in readers


async def test_what_was_exported_imports_as_unchanged(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    await households(connection, tmp_path, GOOD, "H2,'=危险,330212001001002,+1号,,,0574-88123456,,,+a@b.cn,渔船")
    before = await snapshot(connection)
    assert await exporting.households(connection, tmp_path / "out.csv") == 2
    assert "'=危险" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    report = await importing.households(connection, tmp_path / "out.csv")
    assert report.problems == ()
    assert report.changes["household"] == Changes(unchanged=2)
    assert report.changes["contact"] == Changes(unchanged=4)
    assert await snapshot(connection) == before
    only = Selection(regions=("330212001001002",))
    assert await exporting.households(connection, tmp_path / "part.csv", only) == 1


async def test_regions_need_their_parents_and_take_name_and_outline_again(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "regions.csv"
    path.write_text(
        "编码,名称,上级\n330212,鄞州区,\n330212001,下应街道,330212\n330212009001,孤村,\n330212009001001,孤网格,\n"
        "330212002,错街道,330213\n33021,短,\n330212001,下应,330212\n",
        encoding="utf-8",
    )
    report = await importing.regions(connection, path)
    assert [(problem.row, problem.kept) for problem in report.problems] == [
        (4, False),
        (5, False),
        (6, False),
        (7, False),
    ]
    assert (report.merged, report.changes["region"].added) == (1, 2)
    geojson = tmp_path / "regions.geojson"
    geojson.write_text(
        '{"features": [{"properties": {"code": 330212001, "name": "下应街道"}, "geometry": {"type": "Polygon",'
        ' "coordinates": [[[121, 29], [122, 29], [122, 30], [121, 30], [121, 29]]]}},'
        ' {"properties": {"code": "330212", "name": "鄞州区"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},'
        ' {"properties": null}, 7]}',
        encoding="utf-8",
    )
    report = await importing.regions(connection, geojson)
    assert report.changes["region"] == Changes(added=0, updated=1, unchanged=1)
    assert [(problem.row, problem.kept) for problem in report.problems] == [(2, True), (3, False), (4, False)]
    town = await connection.fetchrow("SELECT * FROM region WHERE code = '330212001'")
    assert (town["name"], town["lon"], town["lat"], town["parent_code"]) == ("下应街道", 121.5, 29.5, "330212")


DUTY_HEADER = "人员编号,姓名,电话,区域编码,角色,主副,任职日期,离任日期"


async def duties(
    connection: asyncpg.Connection, folder: Path, *rows: str, header: str = DUTY_HEADER, complete: bool = False
) -> ImportReport:
    path = folder / "duties.csv"
    path.write_text("\n".join((header, *rows)), encoding="utf-8")
    return await importing.duties(connection, path, at=NOW, complete=complete)


async def test_bad_duties_are_reported_and_good_ones_kept(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    report = await duties(
        connection,
        tmp_path,
        "P1,张书记,13800138000,330212001001,村书记,,,",
        "P1,张书记,13800138000,330212001001001,网格长,副,2026-01-01,2026-12-31",
        ",无名,,330212001001,村书记,,,",
        "P3,李,13900139000,330212001001,网格长,,,",
        "P4,王,13900139001,330212001001,皇帝,,,",
        "P5,赵,13900139002,330212001001,村书记,,昨天,",
        "P6,钱,13900139003,330212001001,村书记,,2026-05-02,2026-05-01",
        "P7,孙,13900139004,330212001001,村书记,三把手,,",
    )
    assert [(problem.row, problem.column, problem.kept) for problem in report.problems] == [
        (4, "人员编号", False),
        (5, "区域编码", False),
        (6, "角色", False),
        (7, "任职日期", False),
        (8, "离任日期", False),
        (9, "主副", True),
    ]
    assert report.changes["duty"].added == 3
    assert report.changes["person"].added == 2
    assert report.changes["contact"].added == 2


async def test_a_complete_roster_ends_the_duties_it_does_not_list(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    await duties(connection, tmp_path, "P1,旧书记,13800138000,330212001001,村书记,,2020-01-01,")
    again = await duties(connection, tmp_path, "P1,旧书记,13800138009,330212001001,村书记,,,")
    assert again.changes["duty"] == Changes(unchanged=1)
    assert again.changes["contact"] == Changes(added=1, deactivated=1)
    report = await duties(connection, tmp_path, "P2,新书记,13900139000,330212001001,村书记,,,", complete=True)
    assert report.changes["duty"] == Changes(added=1, deactivated=1)
    ended = await connection.fetch("SELECT valid_to FROM duty ORDER BY id")
    assert [row["valid_to"] for row in ended] == [NOW, None]


async def test_a_person_without_a_number_is_known_by_the_phone(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    header = "姓名,电话,区域编码,角色"
    for _ in range(2):
        await duties(connection, tmp_path, "张书记,138-0013-8000,330212001001,村书记", header=header)
    assert await connection.fetchval("SELECT count(*) FROM person") == 1


async def test_terminals_are_updated_by_their_code(
    connection: asyncpg.Connection, regions: None, tmp_path: Path
) -> None:
    path = tmp_path / "terminals.csv"
    path.write_text(
        "资源编码,名称,区域编码,类型\n63302120010010314010301,一号,330212001001,大喇叭\n"
        "6.33E+22,错,330212001001,\nT2,二号,330212001001,电视\nT2,二号喇叭,330212001002,音柱\n",
        encoding="utf-8",
    )
    report = await importing.terminals(connection, path)
    assert [(problem.row, problem.column) for problem in report.problems] == [(3, "资源编码"), (4, "类型")]
    assert (report.merged, report.changes["terminal"]) == (1, Changes(added=2))
    path.write_text("资源编码,区域编码,在用\nT2,330212001002,否\n", encoding="utf-8")
    report = await importing.terminals(connection, path)
    assert report.changes["terminal"] == Changes(updated=1)
    second = await connection.fetchrow("SELECT * FROM terminal WHERE external_id = 'T2'")
    assert (second["name"], second["active"], second["address"]) == ("二号喇叭", False, "T2")


@pytest.mark.parametrize("kind", ["regions", "households", "terminals"])
async def test_a_file_without_the_needed_columns_is_refused_before_anything_is_touched(
    connection: asyncpg.Connection, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="缺少列"):
        await getattr(importing, kind)(connection, tmp_path / "wrong.csv")
