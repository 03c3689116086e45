"""Dates in workbooks, held against openpyxl's reading of the same numbers and formats."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from audiences.importing.xlsx_dates import BUILT_IN, EPOCH_1900, EPOCH_1904, iso, shows_date


@given(st.floats(0, 2_900_000), st.sampled_from([(EPOCH_1900, WINDOWS_EPOCH), (EPOCH_1904, MAC_EPOCH)]))
def test_a_number_is_the_moment_that_others_read(number: float, epochs: tuple[datetime, datetime]) -> None:
    ours, theirs = epochs
    read = from_excel(number, theirs)
    if isinstance(read, datetime) and read.time() == time():
        read = read.date()
    assert isinstance(read, date | time)
    assert iso(number, ours) == read.isoformat()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1900-01-01"),
        (59, "1900-02-28"),
        (61, "1900-03-01"),
        (46143, "2026-05-01"),
        (46143.354166667, "2026-05-01T08:30:00"),
        (0.75, "18:00:00"),
    ],
)
def test_days_count_as_the_program_that_wrote_them_counts(number: float, shown: str) -> None:
    assert iso(number, EPOCH_1900) == shown


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, -1e9])
def test_no_day_is_no_day(number: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        iso(number, EPOCH_1900)


CODES = [
    "yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "[$-804]yyyy/m/d", "h:mm AM/PM", "[h]:mm:ss", "[Red]0.00", "[>100]0",
    "0.00E+00", "General",
    "@", '0"天"', '0 "days"', r"0\d", "_d0", "mm:ss.0", "#,##0;[Red]-#,##0", "0;yyyy", "[DBNum1]General",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_a_format_shows_a_date_when_others_say_so(code: str) -> None:
    assert shows_date(code) is bool(is_date_format(code))


@pytest.mark.parametrize("number", sorted(BUILTIN_FORMATS))
def test_the_formats_without_a_code_are_those_of_the_standard(number: int) -> None:
    assert (number in BUILT_IN) is bool(is_date_format(BUILTIN_FORMATS[number]))


@pytest.mark.parametrize("number", [27, 31, 36, 50, 57, 58])
def test_the_dates_of_chinese_excel_are_dates(number: int) -> None:
    assert number in BUILT_IN
