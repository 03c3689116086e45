"""What `doctor` says of a gateway that is not in use."""

from __future__ import annotations

from datetime import UTC, datetime

from broadcaster.cli.examination import _paused
from broadcaster.dispatch.lineup import Health

SINCE = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


def test_a_paused_gateway_is_named_with_since_when_and_why() -> None:
    found = _paused(Health("town-sms", False, {"closed": 0, "probing": 0, "open": 2}, "no route", SINCE))
    assert (found.name, found.verdict) == ("网关 town-sms", "warning")
    assert "08-10 03:00:00" in found.what
    assert "no route" in found.what
    assert found.remedy


def test_one_that_is_connected_again_is_about_to_be_tried() -> None:
    found = _paused(Health("town-sms", False, {"closed": 0, "probing": 1, "open": 1}, "no route", SINCE))
    assert "试发" in found.what
