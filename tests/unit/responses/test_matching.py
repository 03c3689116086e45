"""What a reply settles, given who sent it and what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.responses.matching import Candidate, Decision, Heard, Home, Situation, Standing
from broadcaster.responses.matching import decide as decide_at
from broadcaster.responses.reply import Acknowledge, Help, NotUnderstood, Understanding
from broadcaster.responses.response import Intent, Outcome

HEAD = Candidate(11, 1, "27", open=True, waiting=True, standing=Standing.HOLDER, person_id=7)
HOME = Home(5, 1, "27")
NOW = datetime(2026, 8, 9, 19, 0, 30, 1, tzinfo=UTC)


def decide(
    said: Understanding, situation: Situation, about_alert: int | None = None, about_unit: int | None = None
) -> Decision:
    return decide_at(said, situation, NOW, about_alert, about_unit)


def of(*candidates: Candidate, homes: tuple[Home, ...] = ()) -> Situation:
    return Situation(
        known=True,
        household_ids=tuple(dict.fromkeys(home.household_id for home in homes)),
        candidates=candidates,
        homes=homes,
        codes=frozenset({"27", "28"}),
    )


def outcome(decision: Decision) -> tuple[Intent, Outcome]:
    return decision.intent, decision.outcome


def test_a_holder_settles_the_unit_and_his_home_has_heard() -> None:
    decision = decide(Acknowledge(moved=3), of(HEAD, homes=(HOME,)))

    assert decision == Decision(Intent.ACKNOWLEDGE, Outcome.SETTLED, 1, (11,), 7, (5,), moved=3)


def test_one_answer_settles_all_of_a_persons_own_units_of_one_alert() -> None:
    assert decide(Acknowledge(), of(HEAD, replace(HEAD, unit_id=12))).unit_ids == (11, 12)


def test_an_answer_that_could_mean_two_alerts_settles_none_and_asks_which() -> None:
    other = replace(HEAD, unit_id=21, alert_id=2, code="28")

    decision = decide(Acknowledge(), of(HEAD, other))

    assert outcome(decision) == (Intent.AMBIGUOUS, Outcome.SEVERAL_ALERTS)
    assert (decision.unit_ids, decision.options) == ((), (1, 2))
    assert decide(Acknowledge("28"), of(HEAD, other)).unit_ids == (21,)


def test_an_alert_that_is_settled_already_does_not_make_an_answer_ambiguous() -> None:
    done = replace(HEAD, unit_id=21, alert_id=2, code="28", waiting=False)

    assert decide(Acknowledge(), of(HEAD, done)).unit_ids == (11,)


@pytest.mark.parametrize("code", ["", "27"])
def test_a_second_answer_is_a_duplicate(code: str) -> None:
    decision = decide(Acknowledge(code), of(replace(HEAD, waiting=False)))

    assert outcome(decision) == (Intent.ACKNOWLEDGE, Outcome.DUPLICATE)


def test_an_answer_after_the_end_is_late() -> None:
    assert decide(Acknowledge(), of(replace(HEAD, open=False))).outcome is Outcome.LATE


def test_a_code_that_no_alert_has_counts_for_none() -> None:
    assert decide(Acknowledge("99"), of(HEAD)).outcome is Outcome.UNKNOWN_CODE


def test_a_code_of_an_alert_that_does_not_concern_the_sender_counts_for_none() -> None:
    assert decide(Acknowledge("28"), of(HEAD)).outcome is Outcome.NOTHING_OPEN


def test_a_superior_who_was_not_asked_settles_the_only_unit_but_never_one_of_several() -> None:
    above = replace(HEAD, standing=Standing.SUPERIOR)
    other = replace(above, unit_id=12)

    assert decide(Acknowledge(), of(above)).unit_ids == (11,)
    assert outcome(decide(Acknowledge(), of(above, other))) == (Intent.AMBIGUOUS, Outcome.SEVERAL_UNITS)
    assert decide(Acknowledge(), of(above, other), about_alert=1, about_unit=12).unit_ids == (12,)


def test_a_superior_who_was_asked_settles_what_was_asked_and_nothing_else() -> None:
    asked = replace(HEAD, standing=Standing.ASKED)
    other = replace(HEAD, unit_id=12, standing=Standing.SUPERIOR)

    assert decide(Acknowledge(), of(asked, other)).unit_ids == (11,)


def test_whoever_was_relieved_does_not_count() -> None:
    relieved = replace(HEAD, standing=Standing.RELIEVED)

    assert decide(Acknowledge(), of(relieved)).outcome is Outcome.NOT_COMPETENT
    assert decide(Acknowledge(), of(relieved), about_alert=1, about_unit=11).outcome is Outcome.NOT_COMPETENT


def test_a_link_settles_its_own_unit_whatever_else_is_open() -> None:
    other = replace(HEAD, unit_id=21, alert_id=2, code="28")

    assert decide(Acknowledge(), of(HEAD, other), about_alert=2, about_unit=21).unit_ids == (21,)
    assert decide(Acknowledge(), of(HEAD), about_alert=2, about_unit=21).outcome is Outcome.NOT_COMPETENT


def test_a_residents_answer_counts_the_home_when_it_is_clear_which_alert_is_meant() -> None:
    other = Home(5, 2, "28")

    one = decide(Acknowledge(), of(homes=(HOME,)))
    assert (one.outcome, one.alert_id, one.household_ids) == (Outcome.REACHED, 1, (5,))
    two = decide(Acknowledge(), of(homes=(HOME, other)))
    assert (outcome(two), two.household_ids, two.options) == ((Intent.AMBIGUOUS, Outcome.SEVERAL_ALERTS), (), ())
    assert decide(Acknowledge("28"), of(homes=(HOME, other))).alert_id == 2
    assert decide(Acknowledge(), of(homes=(HOME, other)), about_alert=2).alert_id == 2


def test_a_phone_that_stands_for_two_homes_counts_both() -> None:
    assert decide(Acknowledge(), of(homes=(HOME, replace(HOME, household_id=6)))).household_ids == (5, 6)


def test_a_duty_holders_answer_means_the_order_not_what_his_home_was_told_as_well() -> None:
    decision = decide(Acknowledge(), of(HEAD, homes=(Home(5, 2, "28"),)))

    assert (decision.outcome, decision.alert_id, decision.household_ids) == (Outcome.SETTLED, 1, ())


def test_nobody_we_know_settles_nothing() -> None:
    assert decide(Acknowledge(), Situation(known=False)).outcome is Outcome.UNKNOWN_SENDER
    assert decide(Acknowledge(), of()).outcome is Outcome.NOTHING_OPEN


def test_what_is_not_understood_settles_nothing() -> None:
    assert decide(NotUnderstood(), of(HEAD, homes=(HOME,))) == Decision(Intent.NONE, Outcome.NOT_UNDERSTOOD)


def test_help_is_raised_for_the_home_and_its_alert_and_the_home_has_heard() -> None:
    decision = decide(Help(), of(homes=(HOME,)))

    assert outcome(decision) == (Intent.HELP, Outcome.HELP_RAISED)
    assert (decision.alert_id, decision.household_ids, decision.help_households) == (1, (5,), (5,))


def test_help_is_raised_for_a_duty_holders_unit_without_confirming_it() -> None:
    decision = decide(Help(), of(HEAD, homes=(HOME,)))

    assert (decision.unit_ids, decision.help_households, decision.intent) == ((11,), (), Intent.HELP)


@pytest.mark.parametrize("situation", [Situation(known=False), of(), of(homes=(HOME, Home(5, 2, "28")))])
def test_help_is_raised_whoever_calls_and_whatever_is_open(situation: Situation) -> None:
    decision = decide(Help(), situation)

    assert (decision.outcome, decision.alert_id) == (Outcome.HELP_RAISED, None)


def test_every_outcome_has_words() -> None:
    assert all(one.chinese for one in Outcome)


def test_an_answer_from_before_the_message_left_settles_nothing() -> None:
    early = replace(HEAD, heard=Heard(NOW + timedelta(seconds=30), NOW + timedelta(seconds=30)))
    never = replace(HEAD, heard=Heard(None, None))

    for candidate in (early, never):
        decision = decide(Acknowledge("27"), of(candidate, homes=(replace(HOME, heard=candidate.heard),)))
        assert (decision.outcome, decision.unit_ids, decision.household_ids) == (Outcome.TOO_EARLY, (), ())


def test_a_code_of_its_own_proves_that_the_alert_is_known() -> None:
    heard_elsewhere = replace(HEAD, heard=Heard(None, NOW - timedelta(minutes=1)))

    assert decide(Acknowledge("27"), of(heard_elsewhere)).unit_ids == (11,)
    assert decide(Acknowledge(), of(heard_elsewhere)).outcome is Outcome.TOO_EARLY


@pytest.mark.parametrize(
    ("received", "counts"),
    [
        (NOW - timedelta(seconds=4), True),
        (NOW - timedelta(seconds=6), False),
        (NOW + timedelta(seconds=6), True),
    ],
    ids=["a clock a little behind", "before it left", "after it left"],
)
def test_gateways_clocks_are_given_their_due_and_no_more(received: datetime, counts: bool) -> None:
    decision = decide_at(Acknowledge(), of(replace(HEAD, heard=Heard(NOW, NOW))), received)

    assert (decision.outcome is Outcome.SETTLED) == counts


def test_a_late_answer_to_the_alert_before_is_late_and_no_answer_to_this_one() -> None:
    before = replace(HEAD, open=False)
    update = replace(HEAD, unit_id=21, alert_id=2, heard=Heard(None, None))

    decision = decide(Acknowledge("27"), of(before, update))
    assert (decision.outcome, decision.unit_ids) == (Outcome.LATE, (11,))


def test_a_link_and_a_call_for_help_count_whenever_they_come() -> None:
    unheard = replace(HEAD, heard=Heard(None, None))

    assert decide(Acknowledge(), of(unheard), about_alert=1, about_unit=11).unit_ids == (11,)
    assert decide(Help(), of(unheard)).outcome is Outcome.HELP_RAISED


def test_a_superior_who_was_asked_about_several_units_says_which() -> None:
    asked = replace(HEAD, standing=Standing.ASKED)

    decision = decide(Acknowledge(), of(asked, replace(asked, unit_id=12)))
    assert (outcome(decision), decision.unit_ids) == ((Intent.AMBIGUOUS, Outcome.SEVERAL_UNITS), ())
    unheard = replace(asked, unit_id=12, heard=Heard(None, None))
    assert decide(Acknowledge(), of(asked, unheard)).unit_ids == (11,)
