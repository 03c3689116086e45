"""Reports about parts say of a message what is true, however often and in whichever order they come."""

from __future__ import annotations

from itertools import permutations

import pytest

from broadcaster.ports import DeliveryKey
from channels.sms.session.reports import Expected, Proof, Reports

KEY = DeliveryKey(7, 1, 1)
PARTS = ["a", "b", "c"]
WHOLE = Proof(KEY, "c")


def taken(reports: Reports, key: DeliveryKey, refs: list[str]) -> None:
    """All parts of a message were taken."""
    message = Expected(key, len(refs))
    for ref in refs:
        reports.expect(message, ref)


def expecting() -> Reports:
    reports = Reports()
    taken(reports, KEY, PARTS)
    return reports


@pytest.mark.parametrize("order", list(permutations(PARTS)))
def test_a_message_is_delivered_when_its_last_missing_part_is(order: tuple[str, ...]) -> None:
    reports = expecting()
    assert [reports.delivered(ref) for ref in order] == [None, None, WHOLE]


@pytest.mark.parametrize("again", PARTS)
def test_a_report_that_comes_twice_delivers_no_message_of_which_a_part_is_missing(again: str) -> None:
    reports = expecting()
    others = [ref for ref in PARTS if ref != again]
    assert [reports.delivered(ref) for ref in (again, again, others[0], again, others[0])] == [None] * 5
    assert reports.delivered(others[1]) == WHOLE
    assert [reports.delivered(ref) for ref in PARTS] == [WHOLE] * 3


@pytest.mark.parametrize("lost", PARTS)
def test_a_message_has_failed_once_and_for_all_when_a_part_has(lost: str) -> None:
    reports = expecting()
    assert reports.failed(lost) == WHOLE
    assert reports.failed(lost) is None
    assert [reports.delivered(ref) for ref in [*PARTS, *PARTS]] == [None] * 6


def test_a_message_in_one_part_is_known_by_its_id_alone() -> None:
    reports = Reports()
    assert reports.delivered("x") == Proof(None, "x")
    assert reports.failed("y") == Proof(None, "y")


def test_what_is_remembered_is_bounded_and_forgets_the_oldest() -> None:
    reports = Reports(most=4)
    for ordinal in range(3):
        taken(reports, DeliveryKey(7, ordinal, 1), [f"{ordinal}a", f"{ordinal}b"])
    assert reports.delivered("0a") == Proof(None, "0a")
    assert reports.delivered("2a") is None
    assert reports.delivered("2b") == Proof(DeliveryKey(7, 2, 1), "2b")


def test_a_report_counts_that_comes_before_the_other_parts_were_taken() -> None:
    reports, message = Reports(), Expected(KEY, 3)
    reports.expect(message, "a")
    assert reports.delivered("a") is None
    reports.expect(message, "b")
    assert reports.delivered("b") is None
    reports.expect(message, "c")
    assert reports.delivered("c") == WHOLE
