"""What a template may speak of: one alert's facts as plain strings, in one language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from broadcaster.alerts.alert import Alert, Colour, Info
from broadcaster.alerts.kind import Kind
from templates.blanks import Blanks
from templates.issuer import Issuer
from templates.language import DEFAULT, Language, closes, same

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")
_LINES = re.compile(r"[^\S\n\u3000]*\n\s*")


@dataclass(frozen=True, slots=True)
class Facts:
    """The variables of every template. An empty string means that there is nothing to say about it.

    `headline`, `description`, `instruction` are the officer's own words; a template uses its own only without them.
    `colour` is red, orange, yellow, blue or ""; `colour_name` the same as it is written; `severe` is not empty for red
    and orange; `closing` is not empty when the alert ends an earlier one of kind `kind`. `place`, `link` and `unit`
    are filled in for each recipient; `link` is "" in the text for those who get none.
    """

    signature: str
    source: str
    event: str
    kind: str
    closing: str
    colour: str
    colour_name: str
    level: str
    severe: str
    verb: str
    issued: str
    onset: str
    until: str
    headline: str
    description: str
    instruction: str
    contact: str
    web: str
    hotline: str
    reply_code: str
    place: str
    link: str
    unit: str


def words_of(alert: Alert, language: Language) -> Info | None:
    """The info whose words are used in `language`; in Chinese any info is better than none, elsewhere only its own."""
    info = alert.info(language.tag)
    return info if info and (language.tag == DEFAULT or same(info.language, language.tag)) else None


def facts_of(
    alert: Alert, language: Language, issuer: Issuer, blanks: Blanks, *, reply_code: str, linked: bool, oneline: bool
) -> Facts:
    """Gather the facts; `oneline` joins the lines of the officer's text, for media that have one line only."""
    words = words_of(alert, language)
    anywhere = alert.info(language.tag)
    clean = _oneline if oneline else _clean
    kind = Kind.WARNING if closes(alert) and alert.kind is Kind.ALL_CLEAR else alert.kind
    onset, expires = (anywhere.onset, anywhere.expires) if anywhere else (None, None)
    return Facts(
        signature=issuer.signature(language),
        source=clean(words.sender_name if words else "") or issuer.signature(language),
        event=clean(words.event if words else "") or language.hazard(alert.hazard) or language.hazard("generic"),
        kind=kind.value,
        closing="closing" if closes(alert) else "",
        colour=alert.colour.value if alert.colour else "",
        colour_name=language.colours[alert.colour] if alert.colour else "",
        level=language.levels[alert.colour] if alert.colour else "",
        severe="severe" if alert.colour in (Colour.RED, Colour.ORANGE) else "",
        verb=language.verb(alert),
        issued=language.moment(alert.sent),
        onset=language.moment(onset) if onset and onset > alert.sent else "",
        until=language.moment(expires) if expires and not closes(alert) else "",
        headline=clean(words.headline if words else ""),
        description=clean(words.description if words else ""),
        instruction=clean(words.instruction if words else ""),
        contact=clean(words.contact if words else ""),
        web=clean(words.web if words else ""),
        hotline="" if alert.rehearsal else issuer.hotline,  # a drill must not send people to the real one
        reply_code=reply_code,
        place=blanks.place,
        link=blanks.link if linked else "",
        unit=blanks.unit,
    )


def texts_of(alert: Alert, issuer: Issuer) -> list[str]:
    """Every text that can get into a message: what a blank must differ from."""
    infos = (
        text
        for info in alert.infos
        for text in (
            info.event,
            info.sender_name,
            info.headline,
            info.description,
            info.instruction,
            info.contact,
            info.web,
        )
    )
    return [*infos, issuer.name, issuer.english, issuer.district, issuer.english_district, issuer.hotline]


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _oneline(text: str) -> str:
    return _LINES.sub(" ", _clean(text))
