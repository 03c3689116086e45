"""The form as it was typed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts import draft_form, form
from broadcaster.alerts.alert import Colour, Scope, Status
from broadcaster.clock import ManualClock

COMPLETE = {
    **draft_form.EMPTY,
    "hazard": "typhoon",
    "colour": "red",
    "status": "Actual",
    "headline": "标题",
    "description": "内容",
    "instruction": "转移",
    "headline_en": "Headline",
    "shapes": "121.500000,29.800000 5km",
    "region-330212101": "on",
}


def test_a_complete_form_makes_the_alert_and_the_alert_the_form(clock: ManualClock) -> None:
    reading = draft_form.read(COMPLETE, "第1镇")
    assert reading.faults == {}
    alert = form.make(reading.form, now=clock.now(), sender="s", identifier="i")
    assert (alert.hazard, alert.colour, alert.status) == ("typhoon", Colour.RED, Status.ACTUAL)
    assert [info.language for info in alert.infos] == ["zh-CN", "en"]
    assert alert.infos[0].areas[0].description == "第1镇"
    assert alert.expires == clock.now().replace(microsecond=0) + timedelta(hours=12)
    again = draft_form.typed_of(alert)
    assert {name: text for name, text in again.items() if text} == {**COMPLETE}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hazard", "dragon"),
        ("colour", "pink"),
        ("status", "Real"),
        ("scope", "Everybody"),
        ("kind", "party"),
        ("valid_hours", "0"),
        ("valid_hours", "nan"),
        ("valid_hours", "721"),
        ("valid_hours", ""),
        ("shapes", "here"),
        ("headline", "长" * 201),
        ("description_en", "x" * 2001),
    ],
)
def test_what_cannot_be_read_is_a_fault_at_its_own_field(name: str, text: str) -> None:
    assert list(draft_form.read({**COMPLETE, name: text}).faults) == [name]


def test_without_a_word_it_is_a_drill_for_the_public() -> None:
    made = draft_form.read({}).form
    assert (made.status, made.scope) == (Status.EXERCISE, Scope.PUBLIC)


def test_only_known_fields_are_kept_and_no_control_characters() -> None:
    given_ = {"headline": "a\x00\x07b\r\nc", "form_token": "x", "region-33": "on", "region-330212": "on", "evil": "1"}
    assert draft_form.kept(given_) == {"headline": "ab\nc", "region-330212": "on"}


def test_a_ticked_town_holds_its_villages() -> None:
    assert draft_form.regions_of({"region-330212101001": "on", "region-330212101": "on"}) == ("330212101",)


@given(st.dictionaries(st.sampled_from(draft_form.NAMES), st.text(max_size=40)))
def test_no_text_breaks_it(typed: dict[str, str]) -> None:
    draft_form.read(draft_form.kept(typed))
