"""Rosters are read whatever program saved them; broken and hostile files are refused as a whole."""

from __future__ import annotations

import io
import math
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from audiences.errors import FileError
from audiences.importing import columns, geojson_file
from audiences.importing.tables import open_table

ROWS = [["户号", "姓名"], ["A1", "张三"], ["A2", "李四"]]


def read(path: Path) -> list[tuple[int, list[str]]]:
    with open_table(path) as table:
        return list(table.rows())


def numbered(rows: list[list[str]]) -> list[tuple[int, list[str]]]:
    return list(enumerate(rows, start=1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_reads_the_same_in_every_encoding_and_with_every_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes("\r\n".join(delimiter.join(row) for row in ROWS).encode(encoding))
    assert read(path) == numbered(ROWS)


def test_a_late_chinese_character_decides_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(b"id,name\n" + b"A1,x\n" * 500_000 + "A2,张三\n".encode("gb18030"))
    assert read(path)[-1] == (500_002, ["A2", "张三"])


def test_bytes_in_no_encoding_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(b"id,name\nA1,\xff\xff\n")
    with pytest.raises(FileError, match="第 12 字节"):
        read(path)


def test_a_quote_that_never_ends_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quote.csv"
    path.write_text('id,name\nA1,"' + "x,\n" * 100_000)
    with pytest.raises(FileError, match="引号"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_zero_byte_is_refused_which_no_report_could_show(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "zero.csv"
    path.write_bytes("id,name\nA\0,x\n".encode(encoding))
    with pytest.raises(FileError, match="零字节"):
        read(path)


def test_a_line_of_a_million_cells_is_refused_before_it_is_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("id,name\n" + "a," * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="第 2 行太长"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_blank_rows_are_left_out_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "blank.csv"
    path.write_text("id,name\n\n,\nA1,x\n")
    assert read(path) == [(1, ["id", "name"]), (4, ["A1", "x"])]


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "old.xls").write_bytes(b"x")
    with pytest.raises(FileError, match="xls"):
        read(tmp_path / "old.xls")
    with pytest.raises(FileError, match="没有这个文件"):
        read(tmp_path / "none.csv")


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


def test_an_xlsx_gives_text_as_a_person_would_type_it(tmp_path: Path) -> None:
    values: list[object] = [13800138000, 330212001001001, 121.5, 5.0, date(2026, 5, 1), True, None, " 张三 ", 1e22]
    path = workbook(tmp_path / "roster.xlsx", [["户号"] * 9, values])
    row = read(path)[1][1]
    assert row == ["13800138000", "330212001001001", "121.5", "5", "2026-05-01", "是", "", " 张三 ", "1.000000E+22"]


def test_formulas_are_not_evaluated_and_hidden_sheets_not_read(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.sheet_state = "hidden"
    book.active.append(["secret"])
    shown = book.create_sheet("住户")
    shown.append(["户号", '=HYPERLINK("http://example.invalid")'])
    book.save(tmp_path / "formula.xlsx")
    assert read(tmp_path / "formula.xlsx") == [(1, ["户号"])]


def test_rows_keep_their_spreadsheet_numbers(tmp_path: Path) -> None:
    path = workbook(tmp_path / "gap.xlsx", [["户号"], [], [], ["A1"]])
    assert read(path) == [(1, ["户号"]), (4, ["A1"])]


def rewritten(source: Path, target: Path, part: str, content: bytes) -> Path:
    """The workbook with one part replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, content if entry.filename == part else old.read(entry))
    return target


SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def as_excel_saves(path: Path, *, namespace: str = MAIN) -> Path:
    """A workbook with shared strings, one of them with a phonetic reading and in two runs."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{namespace}" xmlns:r="{relations}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": "<Relationships>"
        f'<Relationship Id="rId1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{namespace}"><si><t>户号</t></si>'
        "<si><r><t>张</t></r><r><t>三</t></r><rPh><t>zhang san</t></rPh></si></sst>",
        SHEET: f'<worksheet xmlns="{namespace}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="C2" t="e"><v>#N/A</v></c></row></sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("namespace", [MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"])
def test_shared_strings_and_the_strict_variant_are_read(tmp_path: Path, namespace: str) -> None:
    path = as_excel_saves(tmp_path / "excel.xlsx", namespace=namespace)
    assert read(path) == [(1, ["户号"]), (2, ["张三", "", ""])]


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_xml_with_a_document_type_is_refused(tmp_path: Path, part: str) -> None:
    source = as_excel_saves(tmp_path / "good.xlsx")
    hostile = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    with pytest.raises(FileError):
        read(rewritten(source, tmp_path / "hostile.xlsx", part, hostile))


@pytest.mark.parametrize(
    "row",
    [
        '<row r="99999999"><c r="A1" t="str"><v>x</v></c></row>',
        '<row r="1"><c r="ZZZ1" t="str"><v>x</v></c></row>',
        '<row r="1"><c r="' + "Z" * 100_000 + '1" t="str"><v>x</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>' + "x" * 600_000 + "</v></c></row>",
        '<row r="1"><c r="A1">',
    ],
    ids=["row number", "column", "long column", "string number", "no number", "long cell", "cut off"],
)
def test_a_sheet_that_lies_is_refused(tmp_path: Path, row: str) -> None:
    source = workbook(tmp_path / "good.xlsx", [["户号"]])
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{row}</sheetData></worksheet>'.encode()
    with pytest.raises(FileError):
        read(rewritten(source, tmp_path / "liar.xlsx", SHEET, sheet))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    source = workbook(tmp_path / "good.xlsx", [["户号"]])
    with pytest.raises(FileError, match="压缩"):
        read(rewritten(source, tmp_path / "bomb.xlsx", SHEET, bytes(64 << 20)))


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml"])
@pytest.mark.parametrize(
    "content",
    [
        b"<row>" * 100_000,
        b"<x>" * 100_000,
        b'<row x="' + b"y" * (3 << 20) + b'"/>',
        b"<!--" + b"y" * (3 << 20) + b"-->",
    ],
    ids=["never closed", "strange and never closed", "huge tag", "huge comment"],
)
def test_a_part_that_would_fill_the_memory_as_it_is_parsed_is_refused(
    tmp_path: Path, part: str, content: bytes
) -> None:
    source = as_excel_saves(tmp_path / "good.xlsx")
    with pytest.raises(FileError, match="结构异常"):
        read(rewritten(source, tmp_path / "bomb.xlsx", part, f'<sst xmlns="{MAIN}">'.encode() + content + b"</sst>"))


def test_a_part_that_would_become_a_tree_of_millions_is_refused(tmp_path: Path) -> None:
    source = workbook(tmp_path / "good.xlsx", [["户号"]])
    styles = f'<styleSheet xmlns="{MAIN}">'.encode() + b"<a/>" * (3 << 20) + b"</styleSheet>"
    with pytest.raises(FileError, match="过大"):
        read(rewritten(source, tmp_path / "tree.xlsx", "xl/styles.xml", styles))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"<html/>"], ids=["empty", "cut off", "page"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fake.xlsx").write_bytes(content)
    with pytest.raises(FileError, match="xlsx"):
        read(tmp_path / "fake.xlsx")


def test_an_archive_without_a_workbook_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "x")
    (tmp_path / "zip.xlsx").write_bytes(buffer.getvalue())
    with pytest.raises(FileError, match="损坏"):
        read(tmp_path / "zip.xlsx")


def test_the_header_is_found_below_a_title_and_under_any_spelling() -> None:
    rows = iter(
        numbered([["2026 年住户名册"], ["户号（必填）", " 网格 编码 *", "联系电话1", "联系电话２", "备注"], ["A1"]])
    )
    header, rest = columns.find_header(rows, columns.HOUSEHOLD, ("external_id", "region_code"))
    assert header.positions == {"external_id": (0,), "region_code": (1,), "phone": (2, 3)}
    assert header.ignored == ("备注",)
    assert list(rest) == [(3, ["A1"])]


def test_a_missing_column_is_named_with_what_was_found_instead() -> None:
    with pytest.raises(FileError) as refused:
        columns.find_header(iter(numbered([["户号", "住址"]])), columns.HOUSEHOLD, ("external_id", "region_code"))
    assert "区域编码" in refused.value.what
    assert "住址" in refused.value.what
    assert "网格编码" in refused.value.remedy


SQUARE = [[121.0, 29.0], [122.0, 29.0], [122.0, 30.0], [121.0, 30.0], [121.0, 29.0]]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [121, 29]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
        {"type": "Polygon", "coordinates": [[[lat, lon] for lon, lat in SQUARE]]},
        {"type": "Polygon", "coordinates": [[SQUARE[0]] * 5]},
        {"type": "Polygon", "coordinates": [[["x", "y"]] * 5]},
        {"type": "Polygon", "coordinates": [[[10**400, 29.0], *SQUARE[1:-1], [10**400, 29.0]]]},
        {"type": "Polygon", "coordinates": [[[math.nan, 29.0], *SQUARE[1:-1], [math.nan, 29.0]]]},
        {"type": "MultiPolygon", "coordinates": [[]]},
        {"type": "MultiPolygon"},
        "Polygon",
    ],
)
def test_an_outline_that_encloses_nothing_is_refused(geometry: object) -> None:
    with pytest.raises(ValueError, match="边界"):
        geojson_file.outline(geometry)


def test_an_outline_knows_its_middle() -> None:
    checked = geojson_file.outline({"type": "Polygon", "coordinates": [SQUARE], "bbox": [0]})
    assert checked == {"type": "Polygon", "coordinates": [SQUARE]}
    assert geojson_file.middle(checked) == (121.5, 29.5)


def test_a_name_holds_nothing_that_the_database_cannot(tmp_path: Path) -> None:
    (tmp_path / "regions.geojson").write_text(
        '{"features": [{"properties": {"编码": "33\\ud800", "名\\u0000": "村\\u0000"}}]}'
    )
    (feature,) = geojson_file.features(tmp_path / "regions.geojson")
    assert feature.properties == {"编码": "33?", "名 ": "村 "}


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"features": 1}', b"[" * 200_000, b"\xff"],
    ids=["cut off", "list", "no features", "deep", "no text"],
)
def test_what_is_no_feature_collection_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "regions.geojson").write_bytes(content)
    with pytest.raises(FileError):
        list(geojson_file.features(tmp_path / "regions.geojson"))
