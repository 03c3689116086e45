"""Languages that nobody wrote a text in: everyone hears the alert in one that was, by a voice that can say it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadcaster.alerts.notice import notice_of
from broadcaster.database import Database
from broadcaster.dispatch.recordings import Recordings
from broadcaster.dispatch.texts import TextKey, Texts, freeze
from broadcaster.ports import Audio, Medium, Notice, Passage, Sound
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
    studio = AudioStudio(tmp_path / "audio")
    yield Recordings(texts, studio, chinese)
    await studio.close()


async def _freeze(
    database: Database, languages: Sequence[str], medium: Medium = Medium.VOICE, purpose: Purpose = Purpose.PUBLIC
) -> None:
    """Alert 7 with its message in `languages`; a tag of English is written in English."""
    written = {tag: render(typhoon(), medium, tag, purpose, issuer=ISSUER) for tag in languages}
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


class Heard(AudioStudio):
    """The real studio; notes what was to be said, language by language."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.said: list[Passage] = []

    async def build(self, text: str, medium: Medium, **how: Any) -> Audio:
        self.said = [Passage(text, how["language"]), *how["then"]]
        return await super().build(text, medium, **how)


@pytest.fixture
async def heard(tmp_path: Path) -> AsyncIterator[Heard]:
    studio = Heard(tmp_path / "heard")
    yield studio
    await studio.close()


async def bilingual(_: int) -> Notice:
    return msgspec.structs.replace(await chinese(_), languages=(CHINESE, "en-GB"))


async def chinese(_: int) -> Notice:
    alert = typhoon()
    return msgspec.structs.replace(notice_of(alert, alert.sent + timedelta(hours=6)), languages=(CHINESE,))


async def test_a_loudspeaker_says_all_languages_of_the_alert_and_the_dialects_of_the_place(
    database: Database, texts: Texts, heard: Heard
) -> None:
    await _freeze(database, [CHINESE, ENGLISH], Medium.LOUDSPEAKER)
    recordings = Recordings(texts, heard, bilingual, dialects=["yue", "wuu"])
    message = await recordings.message(_key(CHINESE, Medium.LOUDSPEAKER))
    assert [passage.language for passage in heard.said] == [CHINESE, "yue", "wuu", ENGLISH]
    assert heard.said[1].text == message.text
    assert "Typhoon" in heard.said[3].text
    assert message.audio is not None
    alone = await Recordings(texts, heard, bilingual).message(_key(CHINESE, Medium.LOUDSPEAKER))
    assert alone.audio is not None
    assert message.audio.seconds > alone.audio.seconds + 5, "there is a voice for Cantonese, and none for Wu"


async def test_an_alert_in_chinese_is_not_said_in_the_languages_that_templates_have(
    database: Database, texts: Texts, heard: Heard
) -> None:
    await _freeze(database, [CHINESE, ENGLISH], Medium.LOUDSPEAKER)
    await Recordings(texts, heard, chinese).message(_key(CHINESE, Medium.LOUDSPEAKER))
    assert [passage.language for passage in heard.said] == [CHINESE]


@pytest.mark.parametrize(
    ("wanted", "voice"),
    [("yue", "yue"), ("zh-HK", "zh-HK"), ("nan", CHINESE), ("zh-CN", "zh-CN"), ("vi", CHINESE), ("en-GB", ENGLISH)],
)
async def test_a_call_speaks_as_its_reader_does_as_far_as_there_is_a_voice(
    database: Database, texts: Texts, heard: Heard, wanted: str, voice: str
) -> None:
    await _freeze(database, [CHINESE, ENGLISH])
    await Recordings(texts, heard, bilingual, dialects=["yue"]).message(_key(wanted))
    assert [passage.language for passage in heard.said] == [voice]


async def test_each_format_that_gateways_want_is_made_ahead(database: Database, texts: Texts, heard: Heard) -> None:
    for medium in (Medium.LOUDSPEAKER, Medium.VOICE):
        await _freeze(database, [CHINESE], medium)
    await _freeze(database, [CHINESE], Medium.VOICE, Purpose.UNIT)
    wanted = {Medium.LOUDSPEAKER: (None, Sound.PCM), Medium.VOICE: (Sound.AMR,)}
    recordings = Recordings(texts, heard, bilingual, wanted)
    await recordings.prepare(7)
    made = [await recordings.message(_key(CHINESE, medium), sound) for medium in wanted for sound in wanted[medium]]
    assert [message.audio and message.audio.media_type for message in made] == ["audio/mpeg", "audio/wav", "audio/amr"]
