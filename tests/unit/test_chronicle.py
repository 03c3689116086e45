"""When the readings asked for what a rule of the storm decided, whatever colours it passed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.demo.chronicle import due_to
from broadcaster.triggers.evaluator import Step
from broadcaster.triggers.replaying import Happened
from broadcaster.triggers.rules import Event
from tests.harness.alerts import NOW

EVENT = Event(
    id=1, rule="river", version=1, mode="live", step="raise", colour=Colour.YELLOW, deed="hold", state="issued",
    regions=(), said=(), fault="", alert_id=1, due_at=None, at=NOW, title="",
)  # fmt: skip
REPLAYED = [
    Happened(NOW + timedelta(seconds=place), step, colour, Deed.HOLD, ())
    for place, (step, colour) in enumerate(
        [(Step.RAISE, Colour.BLUE), (Step.RISE, Colour.ORANGE), (Step.RISE, Colour.RED), (Step.CLEAR, Colour.RED)]
    )
]


@pytest.mark.parametrize(
    ("step", "colour", "place"),
    [
        (Step.RAISE, Colour.BLUE, 0),
        (Step.RISE, Colour.YELLOW, 1),
        (Step.RISE, Colour.ORANGE, 1),
        (Step.RAISE, Colour.RED, 2),
        (Step.CLEAR, Colour.RED, None),
    ],
)
def test_a_step_is_due_to_the_first_readings_that_asked_for_as_much(
    step: Step, colour: Colour, place: int | None
) -> None:
    due = due_to(replace(EVENT, step=step.value, colour=colour), REPLAYED)
    assert due == (None if place is None else REPLAYED[place].at)
