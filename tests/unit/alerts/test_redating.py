"""Old and foreign messages made our own."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.alerts import lifecycle
from broadcaster.alerts.alert import MsgType, Status
from broadcaster.alerts.redating import as_exercise, as_first_issue
from tests.harness.alerts import NOW, typhoon, update


def test_an_exercise_keeps_every_duration_and_can_be_issued() -> None:
    original = update(typhoon(), "upstream-7")
    later = NOW + timedelta(days=700, microseconds=9)
    exercise = as_exercise(original, later, "330212_9")
    assert (exercise.identifier, exercise.status, exercise.msg_type) == ("330212_9", Status.EXERCISE, MsgType.ALERT)
    assert exercise.references == ()
    assert exercise.expires is not None
    assert exercise.expires - exercise.sent == timedelta(hours=6)
    assert lifecycle.issuable(exercise, later) == []


def test_an_update_of_what_we_never_issued_is_our_first_alert() -> None:
    original = update(typhoon(), "upstream-7")
    first = as_first_issue(original)
    assert first.msg_type is MsgType.ALERT
    assert first.references == original.references
    assert lifecycle.issuable(first, NOW) == []


def test_a_cancel_stays_a_cancel() -> None:
    cancel = update(typhoon(), "upstream-8", MsgType.CANCEL)
    assert as_first_issue(cancel) is cancel
