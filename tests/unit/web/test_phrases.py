"""Texts of documents."""

from __future__ import annotations

import pytest

from broadcaster.web.documents.phrases import Phrases


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (None, "–", "–"),
        (8.84, "8.8 秒", "8.8 s"),
        (16.2, "16秒", "16 s"),
        (903, "15分3秒", "15 min 3 s"),
        (3600, "1小时0分", "1 h 0 min"),
    ],
)
def test_how_long_it_took_names_its_units(seconds: float | None, chinese: str, english: str) -> None:
    assert (Phrases("zh").duration(seconds), Phrases("en").duration(seconds)) == (chinese, english)
