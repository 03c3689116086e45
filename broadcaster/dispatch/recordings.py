"""Recordings: the spoken messages of an alert, each built once. They name the whole area, so one serves everyone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

from broadcaster.dispatch.texts import FALLBACK_LANGUAGE, TextKey, Texts
from broadcaster.ports import DIALECTS, GatewaySettings, Medium, Message, Notice, Passage, Sound, Studio
from broadcaster.recent import Recent
from broadcaster.registry import Registry
from templates.language import other_languages
from templates.skeleton import Skeleton

SPOKEN = (Medium.LOUDSPEAKER, Medium.VOICE)

FIRST = ((Medium.LOUDSPEAKER, "public"), (Medium.VOICE, "public"), (Medium.VOICE, "unit"))
"""What is spoken before anybody asks for it: to whom it sounds at once."""

REPEATS = {Medium.LOUDSPEAKER: 3, Medium.VOICE: 1}
"""How often a text is said: over a loudspeaker people first have to stop and listen."""

CHINESE = ("zh", *DIALECTS)
"""Primary tags of those to whom a Chinese text can be read in their own way of speaking."""

USUAL: Mapping[Medium, Sequence[Sound | None]] = dict.fromkeys(SPOKEN, (None,))
"""Every medium's recordings in its own format."""


WARNING = "warning"
"""The kind that sounds in its colour: an order and an all-clear have the chime."""

NoticeOf = Callable[[int], Awaitable[Notice]]
"""An alert as a whole, by its id."""


def said_after(chinese: str, dialects: Sequence[str], written: Iterable[Passage]) -> tuple[Passage, ...]:
    """What a loudspeaker says after the Chinese text, whoever stands below it: the same in the dialects of the place,
    then what is `written` in other languages."""
    return (*(Passage(chinese, dialect) for dialect in dialects), *written)


class Recordings:
    """Builds recordings when they are first needed, or ahead of that (`prepare`)."""

    def __init__(
        self,
        texts: Texts,
        studio: Studio,
        notice_of: NoticeOf,
        sounds: Mapping[Medium, Sequence[Sound | None]] = USUAL,
        dialects: Sequence[str] = (),
    ) -> None:
        self._texts = texts
        self._studio = studio
        self._notice_of = notice_of
        self._sounds = sounds
        self._dialects = dialects
        self._built: Recent[tuple[TextKey, Sound | None], Message] = Recent(most=100)

    async def message(self, key: TextKey, sound: Sound | None = None) -> Message:
        """The message with its audio in the format `sound`, None: the medium's own. `UnavailableError` when it cannot
        be made now, `InputError` when never."""
        found = self._built.get((key, sound))
        if found is None:
            found = self._built[key, sound] = await self._build(key, sound)
        return found

    async def prepare(self, alert_id: int) -> None:
        """Build what an alert will need first: the Chinese recordings for loudspeakers and calls."""
        for medium, purpose in FIRST:
            for sound in self._sounds.get(medium, (None,)):
                await self.message(TextKey(alert_id, purpose, medium.value, FALLBACK_LANGUAGE), sound)

    async def ahead(self, skeletons: Iterable[Skeleton], notice: Notice) -> None:
        """Build the same of an alert that is not issued yet, from all its texts as they are now; the same words are
        then found when it is. Errors as of `message`."""
        texts = {(one.medium, one.purpose.value, one.language): one for one in skeletons}
        others = [
            found
            for language in other_languages(notice.languages)
            if (found := texts.get((Medium.LOUDSPEAKER, "public", language))) is not None
        ]
        for medium, purpose in FIRST:
            for sound in self._sounds.get(medium, (None,)):
                skeleton = texts[medium, purpose, FALLBACK_LANGUAGE]
                await self._say(skeleton, FALLBACK_LANGUAGE, notice, sound, others)

    async def _build(self, key: TextKey, sound: Sound | None) -> Message:
        skeleton = await self._texts.skeleton(key)
        notice = await self._notice_of(key.alert_id)
        others: list[Skeleton] = []
        if skeleton.medium is Medium.LOUDSPEAKER and skeleton.language == FALLBACK_LANGUAGE:
            others = await self._written(key, notice.languages)
        return await self._say(skeleton, key.language, notice, sound, others)

    async def _say(
        self, skeleton: Skeleton, language: str, notice: Notice, sound: Sound | None, others: Iterable[Skeleton]
    ) -> Message:
        """The message of a skeleton for readers of `language`; a loudspeaker says the `others` as well."""
        text = skeleton.fill()
        after: tuple[Passage, ...] = ()
        if skeleton.medium is Medium.LOUDSPEAKER and skeleton.language == FALLBACK_LANGUAGE:
            written = [Passage(one.fill().text, one.language) for one in others if one.language != FALLBACK_LANGUAGE]
            after = said_after(text.text, self._dialects, written)
        audio = await self._studio.build(
            text.text,
            skeleton.medium,
            colour=notice.colour if notice.kind == WARNING else "",
            repeats=REPEATS[skeleton.medium],
            drill=notice.drill,
            language=self._voice(language, skeleton.language),
            sound=sound,
            then=after,
        )
        return msgspec.structs.replace(text, audio=audio, notice=notice)

    async def _written(self, key: TextKey, languages: Sequence[str]) -> list[Skeleton]:
        """The texts that were frozen in those of these languages that are not Chinese."""
        return [await self._texts.skeleton(key._replace(language=one)) for one in other_languages(languages)]

    def _voice(self, wanted: str, written: str) -> str:
        """By whose voice a text is said: that of its language, not of the reader's, since what has no translation is
        said in Chinese; but Chinese in the reader's dialect where there is a voice for it."""
        dialect = written == FALLBACK_LANGUAGE and wanted.casefold().partition("-")[0] in CHINESE
        return wanted if dialect and self._studio.speaks(wanted) else written


def sounds_of(registry: Registry, gateways: Sequence[GatewaySettings]) -> Mapping[Medium, Sequence[Sound | None]]:
    """In which formats the gateways of each spoken medium want its recordings."""
    wanted: dict[Medium, dict[Sound | None, None]] = {}
    for gateway in gateways:
        if gateway.channel in SPOKEN:
            wanted.setdefault(gateway.channel, {})[registry.capabilities(gateway).sound] = None
    return {medium: tuple(sounds) for medium, sounds in wanted.items()}
