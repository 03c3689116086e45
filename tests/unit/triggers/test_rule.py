"""A rule is read whole or refused with everything that is wrong with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.errors import InputError
from broadcaster.triggers.rule import read

DISTRICT = "330212"
RULE = """
title = "梁弄溪山洪"
hazard = "flash_flood"
stations = ["group:上游", "s-9"]
lead = "90m"
clear = "hold"
[area]
regions = ["330212101"]
[[levels]]
colour = "red"
do = "hold"
[[levels.when]]
element = "water_level"
above = "guarantee"
lasting = "10m"
hysteresis = 0.2
[[levels]]
colour = "yellow"
do = "draft"
match = "any"
[[levels.when]]
element = "rainfall"
total = 30
within = "1h"
at_least = 2
[[levels.when]]
element = "water_level"
rise = 0.5
within = "30m"
stations = ["s-9"]
"""


def test_a_rule_is_read() -> None:
    rule = read(RULE, DISTRICT, ())
    assert [level.colour for level in rule.rising] == [Colour.YELLOW, Colour.RED]
    assert [level.held for level in rule.rising] == [timedelta(minutes=10), timedelta(minutes=3)]
    assert rule.rising[1].do is Deed.HOLD
    assert rule.named == ("group:上游", "s-9")
    assert rule.elements == ("rainfall", "water_level")
    assert rule.lookback == timedelta(hours=3)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"flash_flood"', '"dragon"', "hazard"),
        ('"90m"', '"soon"', "lead"),
        ('"330212101"', '"440000"', "area.regions"),
        ("total = 30", "total = 0", "total"),
        ("total = 30", "total = 30\nabove = 3", "when[0]"),
        ('within = "1h"', "", "within"),
        ('lasting = "10m"', 'lasting = "10m"\nwithin = "1h"', "within"),
        ('do = "draft"', 'do = "issue"', "rules.issue"),
        ('do = "draft"', 'do = "shout"', "do"),
        ('colour = "yellow"', 'colour = "red"', "levels"),
        ('"guarantee"', '"highest"', "above"),
        ("at_least = 2", "at_least = 0", "at_least"),
        ("at_least = 2", "nonsense = 2", "nonsense"),
        ('element = "rainfall"', 'element = "Rain fall"', "element"),
        ("title", "titel", "title"),
        ("[area]", "[area", "TOML"),
        ('within = "1h"', 'within = "30d"', "within"),
        ("hysteresis = 0.2", "hysteresis = 2026-01-01", "hysteresis"),
        ("total = 30", "total = 30\nhysteresis = 30", "hysteresis"),
        ('"90m"', '"6h"', "lead"),
        ("[area]", 'fresh = "0s"\n[area]', "fresh"),
        ('do = "draft"', 'do = "hold"\nhold = "0s"', "hold"),
        ('do = "draft"', 'do = "hold"\nhold = "6h"', "hold"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, named: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(RULE.replace(old, new, 1), DISTRICT, ())
    assert named in str(refusal.value)


def test_everything_wrong_is_named_at_once() -> None:
    text = RULE.replace('"flash_flood"', '"dragon"').replace('"90m"', '"soon"').replace("total = 30", "total = -1")
    with pytest.raises(InputError) as refusal:
        read(text, DISTRICT, ())
    assert all(word in str(refusal.value) for word in ("hazard", "lead", "total"))


def test_a_hazard_that_the_settings_name_may_go_out_at_once() -> None:
    rule = read(RULE.replace('do = "draft"', 'do = "issue"'), DISTRICT, ("flash_flood",))
    assert rule.rising[0].do is Deed.ISSUE


@pytest.mark.parametrize(
    "text", ["", "x", "[" * 5000, "a = " + "[" * 3000, "title = 1979-05-27", "\x00", "title='a'\n" * 3]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text, DISTRICT, ())


def test_a_drill_may_be_held_as_briefly_as_it_likes() -> None:
    text = RULE.replace('do = "draft"', 'do = "hold"\nhold = "3s"').replace("[area]", "drill = true\n[area]", 1)
    assert read(text, DISTRICT, ()).drill
