"""Which topics a filter fits, and which filters there may be (MQTT 5, 4.7 and 4.8.2)."""

from __future__ import annotations

import pytest

from broadcaster.rehearsal.fronts.mqtt_sessions import is_filter, matches


@pytest.mark.parametrize(
    ("pattern", "topic", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+", "a/b", False),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
    ],
)
def test_a_filter_fits_as_the_standard_says(pattern: str, topic: str, fits: bool) -> None:
    assert matches(pattern, topic) is fits


@pytest.mark.parametrize(
    ("pattern", "may"),
    [
        ("a/#", True),
        ("#", True),
        ("+/b/#", True),
        ("/", True),
        ("$share/g/a/#", True),
        ("", False),
        ("a/#/b", False),
        ("a#", False),
        ("a/b+", False),
        ("a/b+/c", False),
        ("++", False),
        ("$share/g", False),
        ("$share//a", False),
        ("$share/g/", False),
        ("$share/g+/a", False),
    ],
)
def test_a_filter_is_one_or_is_refused(pattern: str, may: bool) -> None:
    assert is_filter(pattern, shares=True) is may
