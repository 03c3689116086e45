"""The registry of hazards and how messages name them."""

from __future__ import annotations

import pytest

from broadcaster.alerts.hazard import HAZARDS, hazard_of_code, recognise


def test_every_code_leads_back_to_its_hazard() -> None:
    for slug, hazard in HAZARDS.items():
        assert hazard.slug == slug
        if hazard.code:
            assert hazard_of_code(hazard.code) is hazard


def test_an_unknown_code_of_a_known_family_is_the_family() -> None:
    family = hazard_of_code("11D77")
    assert family is not None
    assert family.slug == "geological"
    assert hazard_of_code("14Z99") is None


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("雷雨大风", "thunder_gale"),
        ("保定市气象台更新雷电黄色预警", "lightning"),
        ("Flash Flood Watch", "flash_flood"),
        ("thunder", "lightning"),
        ("山洪灾害气象预警", "flash_flood"),
        ("森林火险", "forest_fire_danger"),
        ("Wildfires near the city", "forest_fire"),
        ("危化品泄漏", "hazmat"),
    ],
)
def test_free_text_is_recognised_by_its_longest_name(text: str, slug: str) -> None:
    hazard = recognise(text)
    assert hazard is not None
    assert hazard.slug == slug


@pytest.mark.parametrize("text", ["Shanghai wheat", "Homeland Security Advisory System Update", "", "突发事件"])
def test_words_within_words_name_no_hazard(text: str) -> None:
    assert recognise(text) is None
