"""Links can be made only with our secret, say exactly what was signed, and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import UnauthenticatedError
from broadcaster.responses.tokens import LENGTH, MOST_ALERTS, MOST_DELIVERIES, Tokens

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
TOKENS = Tokens(b"a secret of the tests")

alerts = st.integers(0, MOST_ALERTS - 1)
ordinals = st.integers(0, MOST_DELIVERIES - 1)


@given(alerts, ordinals, st.none() | st.integers(1, 60 * 24 * 3650))
def test_what_was_signed_is_read_again_and_always_as_long(alert: int, ordinal: int, minutes: int | None) -> None:
    expires = None if minutes is None else NOW + timedelta(minutes=minutes)

    token = TOKENS.sign(alert, ordinal, expires)

    assert len(token) == LENGTH
    assert TOKENS.read(token, NOW) == (alert, ordinal)
    assert TOKENS.of_alert(alert, expires)(ordinal) == token


def test_a_token_ends_at_its_expiry_rounded_up_to_ten_minutes() -> None:
    token = TOKENS.sign(1, 2, NOW + timedelta(minutes=1))

    assert TOKENS.read(token, NOW + timedelta(minutes=9)) == (1, 2)
    with pytest.raises(UnauthenticatedError, match="过期"):
        TOKENS.read(token, NOW + timedelta(minutes=10))
    assert TOKENS.read(token) == (1, 2)


def test_a_token_without_expiry_never_ends() -> None:
    assert TOKENS.read(TOKENS.sign(1, 2), datetime(2999, 1, 1, tzinfo=UTC)) == (1, 2)


def test_expiries_before_and_beyond_what_a_token_can_say_are_cut() -> None:
    with pytest.raises(UnauthenticatedError):
        TOKENS.read(TOKENS.sign(1, 2, datetime(2000, 1, 1, tzinfo=UTC)), NOW)
    with pytest.raises(UnauthenticatedError):
        TOKENS.read(TOKENS.sign(1, 2, datetime(2999, 1, 1, tzinfo=UTC)), datetime(2999, 1, 2, tzinfo=UTC))


@given(alerts, ordinals, st.integers(0, LENGTH - 1), st.sampled_from("ABCxyz019-_=+/. é村"))
def test_a_token_that_was_changed_anywhere_is_refused(alert: int, ordinal: int, place: int, other: str) -> None:
    token = TOKENS.sign(alert, ordinal, NOW)
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(UnauthenticatedError):
            TOKENS.read(changed, NOW - timedelta(days=1))


@given(st.text(max_size=80))
def test_any_other_text_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        TOKENS.read(text)


def test_another_secret_does_not_open_ours() -> None:
    with pytest.raises(UnauthenticatedError):
        Tokens(b"somebody else's secret").read(TOKENS.sign(1, 2))


@pytest.mark.parametrize(("alert", "ordinal"), [(MOST_ALERTS, 0), (-1, 0), (0, MOST_DELIVERIES), (0, -1)])
def test_numbers_that_do_not_fit_are_refused_instead_of_cut(alert: int, ordinal: int) -> None:
    with pytest.raises(ValueError, match="no room"):
        TOKENS.sign(alert, ordinal)


def test_a_secret_must_be_long_enough() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens(b"short")
