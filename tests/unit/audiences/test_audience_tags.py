"""Tags as rosters write them, and the risk that follows."""

from __future__ import annotations

import pytest

from audiences import tags


def test_the_words_of_a_roster_become_field_names_each_once() -> None:
    assert tags.parse("独居老人、残疾；独居 low_lying") == ("disabled", "lives_alone", "low_lying")


def test_a_county_may_keep_its_own_tags_and_they_do_not_count() -> None:
    assert tags.parse("渔船，民宿") == ("民宿", "渔船")
    assert tags.risk(["渔船"]) == tags.RISK_UNKNOWN


def test_more_vulnerable_is_a_lower_risk_and_never_below_zero() -> None:
    assert tags.risk(["lives_alone"]) < tags.risk(["elderly"]) < tags.risk([])
    assert tags.risk([rule.tag for rule in tags.VULNERABILITIES]) == 0


@pytest.mark.parametrize("cell", ["<script>", "a" * 25, "、".join(f"标签{n}" for n in range(17))])
def test_what_cannot_be_a_tag_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"<|aaa|17"):
        tags.parse(cell)


def test_every_tag_is_shown_in_chinese_and_read_back() -> None:
    for rule in tags.VULNERABILITIES:
        assert tags.parse(tags.shown(rule.tag)) == (rule.tag,)
