"""A sentence of ours is kept in a database and still said in any language afterwards."""

from __future__ import annotations

import msgspec
import pytest

from broadcaster.phrase import Bilingual, joined, ours, packed, phrase, said, unpacked
from broadcaster.web.language import CHINESE, ENGLISH, catalogue

SENTENCES = [
    "王家村",
    phrase("与第 %(number)s 条相同", number=7),
    phrase("%(what)s：%(named)s", what=ours("另有区域无法识别"), named=joined("、", ("王家村", "with 'quotes'"))),
    joined("。", ("适用于外地", phrase("针对已发布的第 %(alert)s 条预警", alert=3))),
    Bilingual("触发", "reached"),
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_was_kept_says_the_same_in_every_language(sentence: str) -> None:
    again = unpacked(msgspec.json.decode(msgspec.json.encode(packed(sentence))))
    for language in (CHINESE, ENGLISH):
        texts = catalogue(language)
        assert said(again, texts) == said(sentence, texts)
    assert str(again) == str(sentence)


def test_what_no_database_keeps_is_left_out_and_what_is_none_of_ours_is_its_own_text() -> None:
    assert unpacked(packed(phrase("%(a)s\0", a="b\0c"))) == "bc"
    assert unpacked({"template": 7}) == "{'template': 7}"
    assert unpacked(None) == "None"
    assert "\0" not in msgspec.json.encode(packed(phrase("%(x)s", x=object()))).decode()
