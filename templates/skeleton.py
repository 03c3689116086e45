"""One alert on one medium, in one language, for one purpose: everything but the recipient's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from markupsafe import escape

from broadcaster.ports import Medium, Message
from templates.blanks import Pieces
from templates.speech import speak


class Purpose(StrEnum):
    """To whom it speaks: households, or the people on duty who must confirm."""

    PUBLIC = "public"
    UNIT = "unit"


CONFIRMED = "1"
"""What somebody on duty is asked to reply."""

SPOKEN = frozenset({Medium.VOICE, Medium.LOUDSPEAKER})
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sheet:
    """The texts of a message, cut at their blanks; `html` and `fields` only where the medium has them."""

    text: Pieces
    subject: Pieces | None = None
    html: Pieces | None = None
    fields: Mapping[str, Pieces] | None = None


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A rendered message. `fill` makes the message of one recipient; it is called for every household.

    `linked` is used where a link is given and `unlinked` where none is, so that no sentence points at nothing.
    `place` and `unit` are what stands where the recipient has none; `shortened` names the fields that were cut.
    """

    medium: Medium
    language: str
    purpose: Purpose
    linked: Sheet
    unlinked: Sheet
    place: str
    unit: str
    shortened: tuple[str, ...] = ()

    def fill(self, place: str = "", link: str = "", unit: str = "") -> Message:
        """The whole message for a recipient at `place`, with the reply page `link`, addressed to `unit`."""
        sheet = self.linked if link else self.unlinked
        values = (place or self.place, link, unit or self.unit)
        if self.medium is Medium.SMS:
            return Message(sheet.text.fill(values), "", "", _NOTHING, link)
        if self.medium in SPOKEN:
            spoken = (spoken_name(values[0], self.language), link, spoken_name(values[2], self.language))
            return Message(sheet.text.fill(spoken), fields=_NOTHING, url=link)
        return Message(
            text=sheet.text.fill(values),
            subject=sheet.subject.fill(values) if sheet.subject else "",
            html=sheet.html.fill(_escaped(values)) if sheet.html else "",
            fields={name: pieces.fill(values) for name, pieces in sheet.fields.items()} if sheet.fields else _NOTHING,
            url=link,
            answer=CONFIRMED if self.purpose is Purpose.UNIT else "",
        )


def spoken_name(name: str, language: str) -> str:
    """A name as it is spoken in a text of `language`; a Chinese name by the Chinese rules in every language."""
    return speak(name, "zh-CN" if any("\u4e00" <= character <= "\u9fff" for character in name) else language)


def _escaped(values: tuple[str, str, str]) -> tuple[str, str, str]:
    place, link, unit = values
    return (str(escape(place)), str(escape(link)), str(escape(unit)))
