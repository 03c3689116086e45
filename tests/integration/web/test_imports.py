"""Importing rosters over the web: examined first, taken over on a yes, once, and only within one's regions."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile

import pytest
from openpyxl import Workbook

from broadcaster.rosters import import_work
from broadcaster.rosters.imports import OPEN_AT_ONCE
from tests.harness.pages import Reader, reader
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web

VILLAGE = f"{TOWN}001"
HEADER = "户号,户主,网格编码,地址,电话"
ROSTER = f"{HEADER}\nN1,赵一,{VILLAGE}001,新街1号,13800138001\nN2,钱二,{VILLAGE}001,新街2号,1380\n"


async def _give(visitor: Reader, content: str | bytes, name: str = "roster.csv", kind: str = "households") -> str:
    data = content.encode() if isinstance(content, str) else content
    answer = await visitor.upload("/audience/imports", name, data, kind=kind)
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


async def _work(web: Web, owner: str = "w-1") -> None:
    while await import_work.work(web.database, web.clock, owner):
        pass


async def test_a_roster_is_examined_then_taken_over(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, ROSTER)
    assert "正在检查" in await visitor.page(place)
    assert web.bells.rung
    await _work(web)
    text = await visitor.page(place)
    for word in ("待您确认", "N1", VILLAGE, "手机号", "仅忽略该值", "确认导入"):
        assert word in text, word
    assert "赵一" not in text
    assert await web.value("SELECT count(*) FROM household WHERE external_id LIKE 'N%'") == 0
    assert (await visitor.send(f"{place}/confirm")).status == 303
    assert "正在导入" in await visitor.page(place)
    await _work(web)
    assert "已导入" in await visitor.page(place)
    assert await web.value("SELECT count(*) FROM household WHERE external_id LIKE 'N%'") == 2
    assert await web.value("SELECT count(*) FROM roster_piece") == 0
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'roster.import'") == 1


async def test_a_yes_that_is_sent_twice_imports_once(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, ROSTER)
    await _work(web)
    for _ in range(2):
        assert (await visitor.send(f"{place}/confirm")).status == 303
        await _work(web)
    assert (await visitor.send(f"{place}/confirm")).status == 303
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'roster.import'") == 1
    await visitor.send(f"{place}/discard")
    assert "已导入" in await visitor.page(place)


async def test_the_preview_tells_what_changes_by_region_and_field(web: Web) -> None:
    visitor = await reader(web)
    known = await web.value("SELECT external_id FROM household WHERE region_code LIKE $1 ORDER BY id", f"{VILLAGE}%")
    place = await _give(visitor, f"户号,网格编码,地址,电话\n{known},{VILLAGE}001,别处5号,13800138009\n")
    await _work(web)
    text = re.sub(r"\s+", " ", await visitor.page(place))
    assert "地址 1 户" in text
    assert "确认导入" in text
    assert re.search(rf'{VILLAGE}">1001村</a></th><td>住户</td><td class="n">0</td><td class="n">1</td>', text)
    assert re.search(
        rf'{VILLAGE}">1001村</a></th><td>联系方式</td><td class="n">1</td><td class="n">0</td><td class="n bad">1</td>',
        text,
    )


async def test_rows_outside_of_the_importers_regions_are_refused_by_name(web: Web) -> None:
    foreign = await web.value(
        "SELECT external_id FROM household WHERE region_code LIKE $1 ORDER BY id", f"{OTHER_TOWN}%"
    )
    visitor = await reader(web, region=TOWN)
    rows = (f"N1,赵一,{VILLAGE}001,a,", f"N2,钱二,{OTHER_TOWN}001001,b,", f"{foreign},孙三,{VILLAGE}001,c,")
    place = await _give(visitor, "\n".join((HEADER, *rows)))
    await _work(web)
    text = await visitor.page(place)
    assert "不在您可以导入的辖区内" in text
    assert "已登记在您的辖区之外" in text
    await visitor.send(f"{place}/confirm")
    await _work(web)
    assert await web.value("SELECT count(*) FROM household WHERE external_id LIKE 'N%'") == 1
    assert (await web.value("SELECT region_code FROM household WHERE external_id = $1", foreign)).startswith(OTHER_TOWN)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("regions", f"编码,名称\n{OTHER_TOWN},改名\n"),
        ("terminals", f"资源编码,区域编码\nT1,{OTHER_TOWN}001\n"),
        ("duties", f"姓名,电话,区域编码,角色\n周四,13700137000,{OTHER_TOWN}001,村书记\n"),
        ("duties", f"人员编号,姓名,区域编码,角色\nhead-{OTHER_TOWN}001,冒名,{VILLAGE},村书记\n"),
    ],
)
async def test_no_kind_of_roster_reaches_outside(web: Web, kind: str, content: str) -> None:
    visitor = await reader(web, region=TOWN)
    place = await _give(visitor, content, kind=kind)
    await _work(web)
    assert "整行未导入" in await visitor.page(place)
    await visitor.send(f"{place}/confirm")
    await _work(web)
    assert await web.value("SELECT count(*) FROM region WHERE name = '改名'") == 0
    assert await web.value("SELECT count(*) FROM terminal") == 0
    assert await web.value("SELECT count(*) FROM person WHERE name IN ('周四', '冒名')") == 0


async def test_what_the_importer_may_no_longer_do_is_not_done(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, ROSTER)
    await _work(web)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE account_grant SET region_code = $1 WHERE role = 'author'", OTHER_TOWN)
    await visitor.send(f"{place}/confirm")
    await _work(web)
    assert await web.value("SELECT count(*) FROM household WHERE external_id LIKE 'N%'") == 0


async def test_an_import_is_its_givers_alone(web: Web) -> None:
    place = await _give(await reader(web), ROSTER)
    await _work(web)
    other = await reader(web, "administrator")
    for path in (place, f"{place}/progress", f"{place}/problems.csv"):
        await other.page(path, 404)
    for done in ("confirm", "discard"):
        assert (await other.send(f"{place}/{done}")).status == 404
    assert (await (await reader(web, "village_head", VILLAGE)).send(f"{place}/confirm")).status == 403


async def test_what_was_given_up_leaves_no_file_behind(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, ROSTER)
    for _ in range(2):
        assert (await visitor.send(f"{place}/discard")).status == 303
    assert await web.value("SELECT count(*) FROM roster_piece") == 0
    assert (await visitor.send(f"{place}/confirm")).status == 422
    await _work(web)
    assert "已放弃" in await visitor.page(place)


async def test_what_nobody_said_yes_to_is_given_up_after_a_day(web: Web) -> None:
    place = await _give(await reader(web), ROSTER)
    await _work(web)
    web.clock.advance(25 * 3600)
    await _work(web)
    assert await web.value("SELECT state FROM roster_import") == "discarded"
    await _work(web)
    assert await web.value("SELECT count(*) FROM roster_piece") == 0
    assert place


async def test_a_worker_that_falls_silent_is_replaced_and_cannot_finish(web: Web) -> None:
    visitor = await reader(web)
    await _give(visitor, ROSTER)
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE roster_import SET owner = 'dead', tries = 1, lease_until = clock_timestamp() - interval '1 s'"
        )
    await _work(web, "w-2")
    assert await web.value("SELECT state FROM roster_import") == "examined"
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE roster_import SET state = 'examine', tries = 3, lease_until = clock_timestamp() - interval '1 s'"
        )
    await _work(web)
    assert await web.value("SELECT state FROM roster_import") == "failed"


async def test_two_workers_import_a_roster_once(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, ROSTER)
    await asyncio.gather(*(import_work.work(web.database, web.clock, f"w-{n}") for n in range(2)))
    await visitor.send(f"{place}/confirm")
    await asyncio.gather(*(import_work.work(web.database, web.clock, f"w-{n}") for n in range(2)))
    assert await web.value("SELECT state FROM roster_import") == "done"
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'roster.import'") == 1


def _bomb() -> bytes:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * (40 << 20))
    return book.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.xlsx", _bomb()),
        ("not.xlsx", b"PK\x03\x04 no zip at all"),
        ("text.csv", b"just words, no header\n1,2\n"),
        ("bytes.csv", bytes(range(256)) * 100),
        ("quotes.csv", b'a,"b\n' * 20_000),
    ],
)
async def test_a_file_that_is_no_roster_is_refused_in_words(web: Web, name: str, content: bytes) -> None:
    visitor = await reader(web)
    place = await _give(visitor, content, name)
    await _work(web)
    text = await visitor.page(place)
    assert "未能导入" in text
    assert 'role="alert"' in text
    assert await web.value("SELECT count(*) FROM roster_piece") == 0
    assert (await visitor.send(f"{place}/confirm")).status == 422


@pytest.mark.parametrize(
    ("name", "content", "kind", "field"),
    [
        ("macro.xlsm", b"x", "households", "file"),
        ("empty.csv", b"", "households", "file"),
        ("", b"x", "households", "file"),
        ("a.geojson", b"{}", "households", "file"),
        ("a.csv", b"a", "spies", "kind"),
    ],
)
async def test_what_cannot_be_a_roster_comes_back_at_its_field(
    web: Web, name: str, content: bytes, kind: str, field: str
) -> None:
    visitor = await reader(web)
    answer = await visitor.upload("/audience/imports", name, content, kind=kind)
    assert answer.status == 422
    assert f'id="fault-{field}"' in await answer.text()
    assert await web.value("SELECT count(*) FROM roster_import") == 0


async def test_a_forged_upload_is_refused(web: Web) -> None:
    visitor = await reader(web)
    visitor.form_token = "0" * 64
    assert (await visitor.upload("/audience/imports", "a.csv", b"x", kind="households")).status == 403
    for body, media in ((b"x", "multipart/form-data; boundary=x"), (b"a=b", "application/x-www-form-urlencoded")):
        answer = await web.client.post("/audience/imports", data=body, headers={"Content-Type": media})
        assert answer.status in (403, 422), media


async def test_a_file_over_the_limit_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcaster.web.pages.imports.LARGEST", 1 << 20)
    answer = await (await reader(web)).upload("/audience/imports", "a.csv", b"x" * (2 << 20), kind="households")
    assert answer.status == 422
    assert "超过 1 MB" in await answer.text()


async def test_nobody_piles_up_imports(web: Web) -> None:
    visitor = await reader(web)
    for _ in range(OPEN_AT_ONCE):
        await _give(visitor, ROSTER)
    answer = await visitor.upload("/audience/imports", "a.csv", ROSTER.encode(), kind="households")
    assert answer.status == 422


async def test_a_workbook_and_outlines_come_in_as_well(web: Web) -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(HEADER.split(","))
    book.active.append(["X1", "吴五", f"{VILLAGE}001", "西街", 13800138005])
    book.save(file)
    visitor = await reader(web)
    outline = (
        f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"code":"{TOWN}","name":"新名"}},'
        '"geometry":{"type":"Polygon","coordinates":[[[121,29],[122,29],[122,30],[121,29]]]}}]}'
    )
    for content, name, kind in ((file.getvalue(), "a.xlsx", "households"), (outline.encode(), "a.geojson", "regions")):
        place = await _give(visitor, content, name, kind)
        await _work(web)
        await visitor.send(f"{place}/confirm")
        await _work(web)
    assert await web.value("SELECT count(*) FROM household WHERE external_id = 'X1'") == 1
    assert await web.value("SELECT name FROM region WHERE code = $1", TOWN) == "新名"


async def test_a_complete_roster_ends_the_duties_that_it_does_not_list_but_no_shift(web: Web) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO duty (person_id, region_code, role, valid_from, valid_to, shift) SELECT person_id, $1,"
            " 'village_head', $2, NULL, true FROM duty WHERE region_code = $3",
            VILLAGE,
            web.clock.now(),
            f"{TOWN}002",
        )
    visitor = await reader(web)
    content = f"姓名,电话,区域编码,角色\n郑六,13700137006,{VILLAGE},村书记\n".encode()
    answer = await visitor.upload("/audience/imports", "d.csv", content, kind="duties", complete="yes")
    place = answer.headers["Location"]
    await _work(web)
    assert "完整名册" in await visitor.page(place)
    await visitor.send(f"{place}/confirm")
    await _work(web)
    query = "SELECT count(*) FROM duty WHERE region_code = $1 AND valid_to IS NULL AND shift = $2"
    assert await web.value(query, VILLAGE, False) == 1
    assert await web.value(query, VILLAGE, True) == 1


async def test_the_problems_are_a_file_that_no_spreadsheet_runs(web: Web) -> None:
    visitor = await reader(web)
    place = await _give(visitor, f"{HEADER}\n=1+1,赵一,{VILLAGE}001,a,\n@x y,b,{DISTRICT}9,c,\n")
    await _work(web)
    text = await visitor.page(f"{place}/problems.csv")
    assert "整行未导入" in text
    assert ",=1" not in text
    assert "\n=" not in text


async def test_the_preview_shows_old_and_new_values_and_masks_what_is_personal(web: Web) -> None:
    visitor = await reader(web)
    home = await web.value("SELECT external_id FROM household WHERE name = '户1001-1'")
    rows = f"{home},欧阳修,{VILLAGE}001,别处5号,13800138009\nN1,赵一,{VILLAGE}001,新街1号,13800138001\n"
    place = await _give(visitor, f"{HEADER}\n{rows}")
    await _work(web)
    text = re.sub(r"\s+", " ", await visitor.page(place))
    assert '逐条变更 <span class="faint">3</span>' in text
    for old, new in (("户**", "欧**"), ("中**", "别**"), ("", "138****8009"), ("+86****0001", "")):
        assert f'<del>{old}</del></td><td class="wrap"><ins>{new}</ins>' in text, (old, new)
    assert "欧阳修" not in text
    assert "N1</th>" not in text, "a new home is no difference"
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'households.see'") == 0

    text = await visitor.page(f"{place}?plain=1")
    for words in ("户1001-1", "欧阳修", "中心路1号", "别处5号", "13800138009"):
        assert words in text, words
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'households.see'") == 1

    await visitor.send(f"{place}/discard")
    assert "欧阳修" not in await web.value("SELECT report::text FROM roster_import")


async def test_the_preview_lists_only_so_many_changes_and_counts_the_rest(web: Web) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO household (external_id, region_code, name, risk, size, active)"
            " SELECT 'x' || n, $1, '甲', 50, 1, true FROM generate_series(1, 250) n",
            f"{VILLAGE}001",
        )
    visitor = await reader(web)
    rows = "\n".join(f"x{n},{VILLAGE}001,3" for n in range(1, 251))
    place = await _give(visitor, f"户号,网格编码,人数\n{rows}\n")
    await _work(web)
    text = await visitor.page(f"{place}?lang=en")
    assert '<span class="faint">250</span>' in text
    assert text.count("<ins>3</ins>") == 200
    assert "Only the first 200 are listed." in text
    await visitor.send(f"{place}/confirm")
    await _work(web)
    assert "Change by change" not in await visitor.page(place)


async def test_the_preview_of_people_on_duty_shows_what_changes_and_who_is_dropped(web: Web) -> None:
    visitor = await reader(web, "administrator")
    rows = f"head-{TOWN}001,王新,{VILLAGE},村书记,2026-01-01\nx-1,李四,{TOWN}002,村书记,2026-01-01\n"
    answer = await visitor.upload(
        "/audience/imports",
        "duties.csv",
        f"人员编号,姓名,区域编码,角色,任职日期\n{rows}".encode(),
        kind="duties",
        complete="yes",
    )
    place = answer.headers["Location"]
    await _work(web)
    text = re.sub(r"\s+", " ", await visitor.page(place))
    assert '<del>书**</del></td><td class="wrap"><ins>王*</ins>' in text
    assert f"head-{TOWN}002</th><td>离任日期</td>" in text
    assert "王新" not in text
