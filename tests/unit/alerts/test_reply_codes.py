"""Reply codes."""

from __future__ import annotations

from itertools import product

import pytest

from broadcaster.alerts.reply_codes import next_code
from broadcaster.errors import UnavailableError


def _codes(length: int) -> set[str]:
    return {"".join(digits) for digits in product("23456789", repeat=length)}


def test_a_code_comes_back_as_late_as_possible() -> None:
    last, given = None, []
    for _ in range(64):
        last = next_code((), last)
        given.append(last)
    assert set(given) == _codes(2)
    assert next_code((), last) == given[0]


def test_a_code_that_an_open_alert_has_is_passed_over() -> None:
    assert next_code({"22", "23"}, None) == "24"


def test_a_third_digit_comes_when_two_are_used_up_and_a_fourth_after_that() -> None:
    assert len(next_code(_codes(2), "99")) == 3
    assert len(next_code(_codes(2) | _codes(3), None)) == 4


def test_when_every_code_is_taken_it_says_so() -> None:
    with pytest.raises(UnavailableError, match="回复码"):
        next_code(_codes(2) | _codes(3) | _codes(4), None)
