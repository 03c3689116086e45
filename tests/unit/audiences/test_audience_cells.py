"""What single cells mean, and what is said of those that mean nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiences.importing import cells


def test_a_day_is_beijing_time_and_an_end_day_is_included() -> None:
    assert cells.moment("2026-05-01") == datetime(2026, 4, 30, 16, tzinfo=UTC)
    assert cells.moment("2026年5月1日") == cells.moment("2026/5/1") == cells.moment("２０２６.5.1")
    assert cells.moment("2026-05-01", end=True) == datetime(2026, 5, 1, 16, tzinfo=UTC)
    assert cells.moment("2026-05-01T08:00:00+08:00") == datetime(2026, 5, 1, tzinfo=UTC)
    assert cells.moment("2026-05-01T08:00:00") == datetime(2026, 5, 1, tzinfo=UTC)
    assert cells.moment(" ") is None


@pytest.mark.parametrize("cell", ["明天", "2026-13-01", "2026-02-30", "9999-12-31T99:00"])
def test_a_day_that_is_none_is_refused(cell: str) -> None:
    with pytest.raises(cells.CellError, match="日期"):
        cells.moment(cell)


def test_a_last_day_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(cells.CellError):
        cells.moment("9999-12-31", end=True)


@pytest.mark.parametrize("cell", ["33021", "3302121", "3302120010011", "33021200100A", "３３０２１２００１０"])
def test_a_region_code_has_6_9_12_or_15_digits(cell: str) -> None:
    with pytest.raises(cells.CellError) as refused:
        cells.code(cell)
    assert refused.value.allowed == cells.CODE


def test_a_code_that_a_spreadsheet_rounded_says_so() -> None:
    for read in (cells.code, cells.key):
        with pytest.raises(cells.CellError) as refused:
            read("3.30212E+14")
        assert refused.value.allowed == cells.ROUNDED


@pytest.mark.parametrize(
    ("lon", "lat"), [("29.8", "121.5"), ("121.5", ""), ("nan", "29"), ("121", "inf"), ("东经121", "29")]
)
def test_a_position_off_the_globe_or_turned_round_is_refused(lon: str, lat: str) -> None:
    with pytest.raises(cells.CellError):
        cells.position(lon, lat)


def test_mail_and_wechat_addresses_keep_their_good_ones_and_mask_their_bad_ones() -> None:
    good, bad = cells.emails("Zhang.San@Example.CN；nobody@，li@a.cn")
    assert good == ["Zhang.San@example.cn", "li@a.cn"]
    assert [error.shown for error in bad] == ["nob****y@"]
    good, bad = cells.wechats("wxid_abc123 汉字号")
    assert good == ["wxid_abc123"]
    assert len(bad) == 1
    good, bad = cells.wechats(
        "wecom:ZhangSan@Office、group:xiaying，wecom:zhangsan@office wecom: group:下应 phone:1380013"
    )
    assert good == ["wecom:zhangsan@office", "group:xiaying"]
    assert len(bad) == 3


def test_text_loses_control_characters_and_the_quote_against_formulas() -> None:
    assert cells.text("  张\u200b三\t丰\x00 ", 64) == "张 三 丰"
    assert cells.text("'=1+1", 64) == "=1+1"
    with pytest.raises(cells.CellError) as refused:
        cells.text("很长的名字" * 20, 64)
    assert "很长的名字" not in refused.value.shown
