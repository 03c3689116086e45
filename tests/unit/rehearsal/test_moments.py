from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.rehearsal.fronts.moments import USUAL, Moments, minute, until

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("260810043000032+", datetime(2026, 8, 9, 20, 30, tzinfo=UTC)),
        ("260809123000000+", datetime(2026, 8, 9, 12, 30, tzinfo=UTC)),
        ("260809103000508-", datetime(2026, 8, 9, 12, 30, 0, 500_000, tzinfo=UTC)),
        ("000002010000000R", NOW + timedelta(days=2, hours=1)),
        ("", NOW + USUAL),
        ("tomorrow", NOW + USUAL),
        ("269999999999032+", NOW + USUAL),
    ],
)
def test_a_validity_is_read(written: str, moment: datetime) -> None:
    assert until(written, NOW) == moment


def test_what_was_read_is_known_whatever_fills_it_up() -> None:
    moments = Moments()
    first = moments.read(b"260810043000032+\0")
    assert first == moments.read(b"260810043000032+\0") == datetime(2026, 8, 9, 20, 30, tzinfo=UTC).timestamp()


def test_reports_write_minutes_of_beijing() -> None:
    assert minute(NOW.timestamp()) == b"2608100300"
