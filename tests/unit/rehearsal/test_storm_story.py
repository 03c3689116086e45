"""The storm's story on a busy machine: colours that were passed over are told as they were, and are no fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.cli.storm import decided
from broadcaster.demo.chronicle import Step, due_to
from broadcaster.triggers.evaluator import Step as Evaluated
from broadcaster.triggers.replaying import Happened
from broadcaster.triggers.rules import Event

BEGAN = datetime(2026, 7, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def event(step: Evaluated, colour: Colour, state: str = "issued", alert: int | None = 2) -> Event:
    return Event(
        1, "river-flood", "前塘河洪水", 1, "live", step.value, colour, "hold", state, ("330212",), (), "", alert,
        at(43), at(40),
    )  # fmt: skip


def happened(seconds: float, step: Evaluated, colour: Colour) -> Happened:
    return Happened(at(seconds), step, colour, Deed.HOLD, ())


REPLAYED = [
    happened(20, Evaluated.RAISE, Colour.ORANGE),
    happened(30, Evaluated.RISE, Colour.RED),
    happened(60, Evaluated.CLEAR, Colour.RED),
]


def test_an_event_that_began_with_red_is_due_to_the_reading_that_asked_for_red() -> None:
    assert due_to(event(Evaluated.RAISE, Colour.RED), REPLAYED) == at(30)


def test_a_colour_that_the_replay_passes_over_is_due_to_the_reading_that_asked_for_more() -> None:
    assert due_to(event(Evaluated.RAISE, Colour.ORANGE), REPLAYED[1:]) == at(30)


def test_an_all_clear_is_due_to_no_reading() -> None:
    assert due_to(event(Evaluated.CLEAR, Colour.RED), REPLAYED) is None


def test_a_draft_whose_countdown_a_later_step_cut_short_is_told_not_to_have_gone_out() -> None:
    overtaken = Step(event(Evaluated.RAISE, Colour.ORANGE, "over"), "前塘河洪水", at(20))
    assert "没有发出，由下一步取代" in decided(overtaken, {3})
    assert "没有发出" not in decided(overtaken, {2, 3})
