"""What a gateway that passes an alert on as a whole is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from broadcaster.alerts.alert import Alert, MsgType, Reference, Status
from broadcaster.alerts.notice import notice_of
from tests.harness.alerts import typhoon


def test_a_warning_is_told_with_its_code_colour_and_area() -> None:
    alert = typhoon()
    notice = notice_of(alert, alert.sent + timedelta(hours=6))
    assert (notice.kind, notice.event, notice.colour, notice.msg_type) == ("warning", "11B01", "red", "Alert")
    assert notice.title == alert.infos[0].headline
    assert notice.regions
    assert all(region.isdigit() for region in notice.regions)
    assert notice.ends - notice.sent == timedelta(hours=6)


def test_an_update_names_what_it_updates_and_a_drill_says_that_it_is_one() -> None:
    earlier = Reference("a@b", "earlier", None)
    alert = replace(typhoon(), msg_type=MsgType.UPDATE, references=(earlier,), status=Status.EXERCISE)
    notice = notice_of(alert, alert.sent)
    assert (notice.references, notice.drill) == (("earlier",), True)


def test_an_alert_that_says_nothing_yet_makes_a_notice_all_the_same() -> None:
    bare = Alert(identifier="x", sender="s@x", sent=typhoon().sent)
    notice = notice_of(bare, bare.sent)
    assert (notice.title, notice.sender, notice.event, notice.regions) == ("", "s@x", "", ())
