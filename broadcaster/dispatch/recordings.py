"""Recordings: the spoken messages of an alert, each built once. They name the whole area, so one serves everyone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from broadcaster.dispatch.texts import FALLBACK_LANGUAGE, TextKey, Texts
from broadcaster.ports import Medium, Message, Studio
from broadcaster.recent import Recent

SPOKEN = (Medium.LOUDSPEAKER, Medium.VOICE)

REPEATS = {Medium.LOUDSPEAKER: 3, Medium.VOICE: 2}
"""How often a text is said: over a loudspeaker people first have to stop and listen."""


@dataclass(frozen=True, slots=True)
class Signal:
    """How an alert sounds: the tone of a `colour` ("" is the chime of orders and all-clears); a drill says so."""

    colour: str
    drill: bool


SignalOf = Callable[[int], Awaitable[Signal]]
"""The signal of an alert, by id."""


class Recordings:
    """Builds recordings when they are first needed, or ahead of that (`prepare`)."""

    def __init__(self, texts: Texts, studio: Studio, signal_of: SignalOf) -> None:
        self._texts = texts
        self._studio = studio
        self._signal_of = signal_of
        self._built: Recent[TextKey, Message] = Recent(most=100)

    async def message(self, key: TextKey) -> Message:
        """The message with its audio. `UnavailableError` when it cannot be made now, `InputError` when never."""
        found = self._built.get(key)
        if found is None:
            found = self._built[key] = await self._build(key)
        return found

    async def prepare(self, alert_id: int) -> None:
        """Build what an alert will need first: the Chinese recordings for loudspeakers and calls."""
        for medium in SPOKEN:
            await self.message(TextKey(alert_id, "public", medium.value, FALLBACK_LANGUAGE))

    async def _build(self, key: TextKey) -> Message:
        skeleton = await self._texts.skeleton(key)
        text = skeleton.fill()
        signal = await self._signal_of(key.alert_id)
        medium = Medium(key.channel)
        audio = await self._studio.build(
            text.text,
            medium,
            colour=signal.colour,
            repeats=REPEATS[medium],
            drill=signal.drill,
            language=skeleton.language,  # not the reader's: what has no translation is said in Chinese
        )
        return msgspec.structs.replace(text, audio=audio)
