"""Both languages say everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from broadcaster.web.language import CHINESE, ENGLISH, catalogue
from broadcaster.web.pages.everything import sections
from broadcaster.web.pages.words import WORDS

TEMPLATES = Path(__file__).parents[3] / "templates"
LOCALE = Path(__file__).parents[3] / "broadcaster" / "web" / "locale" / "en" / "LC_MESSAGES"
DOCUMENTS = Path(__file__).parents[3] / "broadcaster" / "web" / "documents"


def _texts() -> Iterator[str]:
    found = extract_from_dir(
        TEMPLATES,
        method_map=[("console/**.html", "jinja2.ext:babel_extract"), ("public/**.html", "jinja2.ext:babel_extract")],
        options_map={"**.html": {"encoding": "utf-8"}},
        keywords={"_": None, "pgettext": ((1, "c"), 2)},
    )
    for _, _, message, _, _ in found:
        yield message if isinstance(message, str) else message[0]
    for _, _, message, _, _ in extract_from_dir(DOCUMENTS, method_map=[("**.py", "python")], keywords={"say": None}):
        yield message if isinstance(message, str) else message[0]
    for words in WORDS.values():
        yield from words.values()
    yield from (section.title for section in sections())


@pytest.mark.parametrize("text", sorted(set(_texts())))
def test_every_text_of_the_pages_has_english(text: str) -> None:
    english = catalogue(ENGLISH).gettext(text)
    assert english != text
    assert english.isascii()
    assert ("%(n)s" in text) == ("%(n)s" in english)


def test_no_text_has_two_english_ones() -> None:
    english: dict[tuple[str | None, str], set[str]] = {}
    for path in LOCALE.glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                english.setdefault((message.context, str(message.id)), set()).add(str(message.string))
    assert {text: told for text, told in english.items() if len(told) > 1 and text[1]} == {}


def test_chinese_is_what_the_templates_say() -> None:
    assert catalogue(CHINESE).gettext("住户") == "住户"
    assert catalogue(CHINESE).ngettext("户", "户", 2) == "户"
