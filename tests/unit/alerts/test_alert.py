"""The alert's own derived facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.alerts.alert import Colour, Info, Severity, Status
from tests.harness.alerts import NOW, typhoon, with_info


@pytest.mark.parametrize("status", Status)
def test_only_an_actual_alert_may_leave_the_rehearsal_gateways(status: Status) -> None:
    assert typhoon(status=status).rehearsal is (status is not Status.ACTUAL)


def test_an_alert_applies_from_its_earliest_info_to_its_latest() -> None:
    first = typhoon().infos[0]
    later = replace(first, language="en-US", effective=NOW + timedelta(hours=1), expires=NOW + timedelta(hours=9))
    alert = typhoon(infos=(later, first))
    assert (alert.effective, alert.expires) == (NOW, NOW + timedelta(hours=9))


def test_an_alert_with_an_open_end_has_no_end() -> None:
    first = typhoon().infos[0]
    assert typhoon(infos=(first, replace(first, expires=None))).expires is None
    assert typhoon(infos=()).expires is None
    assert typhoon(infos=()).effective is None


def test_an_alert_without_effective_applies_from_when_it_was_sent() -> None:
    assert with_info(typhoon(), effective=None).effective == NOW


def test_the_info_of_a_language_is_the_exact_one_then_its_kin_then_the_first() -> None:
    alert = typhoon(infos=tuple(Info("x", language=tag) for tag in ("zh-CN", "en-GB", "en-US")))
    found = {tag: info.language for tag in ("en-us", "en-AU", "fr") if (info := alert.info(tag))}
    assert found == {"en-us": "en-US", "en-AU": "en-GB", "fr": "zh-CN"}
    assert typhoon(infos=()).info("zh-CN") is None


def test_colours_stand_for_severities_and_order_by_urgency() -> None:
    assert [colour.urgency for colour in Colour] == [0, 1, 2, 3]
    assert [colour.severity for colour in Colour] == list(Severity)[:4]
    assert [Colour.of_severity(severity) for severity in Severity] == [*Colour, None]
    assert "".join(colour.chinese for colour in Colour) == "红橙黄蓝"
