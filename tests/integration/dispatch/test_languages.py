"""Languages that nobody wrote a text in: everyone hears the alert in one that was, by a voice that can say it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from broadcaster.database import Database
from broadcaster.dispatch.recordings import Recordings, Signal
from broadcaster.dispatch.texts import TextKey, Texts, freeze
from broadcaster.ports import Medium
from channels.speech.studio import AudioStudio
from templates.issuer import Issuer
from templates.renderer import render
from templates.skeleton import Purpose
from tests.harness.alerts import typhoon

ISSUER = Issuer(name="鄞州区应急管理局", district="鄞州区")
CHINESE, ENGLISH = "zh-CN", "en"


@pytest.fixture
async def texts(database: Database) -> Texts:
    return Texts(database)


@pytest.fixture
async def recordings(texts: Texts, tmp_path: Path) -> AsyncIterator[Recordings]:
    async def red(_: int) -> Signal:
        return Signal("red", drill=False)

    studio = AudioStudio(tmp_path / "audio")
    yield Recordings(texts, studio, red)
    await studio.close()


async def _freeze(database: Database, languages: Sequence[str], medium: Medium = Medium.VOICE) -> None:
    """Alert 7 with its public message in `languages`; a tag of English is written in English."""
    written = {tag: render(typhoon(), medium, tag, Purpose.PUBLIC, issuer=ISSUER) for tag in languages}
    async with database.transaction() as connection:
        await freeze(connection, 7, [replace(one, language=tag) for tag, one in written.items()])


def _key(language: str, medium: Medium = Medium.VOICE) -> TextKey:
    return TextKey(7, "public", medium.value, language)


@pytest.mark.parametrize("language", ["vi", "ug", "bo", "ja", "ug-Arab-CN", ""])
async def test_who_speaks_what_nobody_wrote_is_called_in_chinese(
    database: Database, recordings: Recordings, language: str
) -> None:
    await _freeze(database, [CHINESE, ENGLISH])
    chinese = await recordings.message(_key(CHINESE))
    assert await recordings.message(_key(language)) == chinese
    assert chinese.audio is not None


async def test_a_chinese_text_is_never_read_by_an_english_voice(database: Database, recordings: Recordings) -> None:
    await _freeze(database, [CHINESE])
    assert await recordings.message(_key("en-US")) == await recordings.message(_key(CHINESE))


@pytest.mark.parametrize(
    ("wanted", "frozen", "found"),
    [
        ("en", [CHINESE, ENGLISH], ENGLISH),
        ("en-US", [CHINESE, ENGLISH], ENGLISH),
        ("EN-us", [CHINESE, ENGLISH], ENGLISH),
        ("en-GB", [ENGLISH, "en-GB", CHINESE], "en-GB"),
        ("en", [CHINESE, "en-GB"], "en-GB"),
        ("zh-HK", [ENGLISH, CHINESE], CHINESE),
        ("eng", [CHINESE, ENGLISH], CHINESE),
        ("vi", [ENGLISH, CHINESE], CHINESE),
    ],
)
async def test_a_language_is_found_by_its_whole_tag_then_by_its_first_part_then_it_is_chinese(
    database: Database, texts: Texts, wanted: str, frozen: Sequence[str], found: str
) -> None:
    await _freeze(database, frozen, Medium.SMS)
    assert (await texts.skeleton(_key(wanted, Medium.SMS))).language == found
