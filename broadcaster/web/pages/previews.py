"""Every message of an alert as it will arrive, with what the lint says about it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from aiohttp import web

from broadcaster.alerts import draft_form
from broadcaster.alerts.alert import Alert, Kind
from broadcaster.alerts.lifecycle import Finding as Lack
from broadcaster.catalogue import ENGLISH
from broadcaster.dispatch.recordings import REPEATS, said_after
from broadcaster.errors import NotFoundError
from broadcaster.ports import Medium, Message, Passage
from broadcaster.web.context import Context
from broadcaster.web.envelope import LETTER
from broadcaster.web.language import catalogue
from broadcaster.web.pages.words import WORDS
from templates.finding import Finding, Severity
from templates.language import language_of, other_languages
from templates.lint import lint
from templates.renderer import render, render_all
from templates.segments import segment
from templates.skeleton import SPOKEN, Purpose, Skeleton

REPLY_CODE = "88"
"""Stands where an alert that is not out yet will have its code."""

_ORDER = (Medium.SMS, Medium.LOUDSPEAKER, Medium.VOICE, Medium.WECHAT, Medium.EMAIL)


@dataclass(frozen=True, slots=True)
class Note:
    """Something to see to, at a field or a message: an error keeps the alert from going out, and one that is `missing`
    is only what nobody has come to yet."""

    error: bool
    text: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """One message. `parts` and `units` of a text message, `seconds` of a recording, both 0 for the others; `heard`
    is what the voice gets, language by language, and `spoken` its digest, so that a browser never plays an older
    recording."""

    medium: Medium
    purpose: Purpose
    language: str
    message: Message
    parts: int
    units: int
    seconds: float
    heard: tuple[Passage, ...]
    spoken: str
    notes: tuple[Note, ...]

    @property
    def main(self) -> bool:
        """Whether it is the one that most people get: to households, in Chinese."""
        return self.purpose is Purpose.PUBLIC and self.language == "zh-CN"


@dataclass(frozen=True, slots=True)
class Proof:
    """All messages of an alert, and what is to be seen to: at the officer's fields by name, "" for all the rest."""

    previews: tuple[Preview, ...]
    notes: dict[str, list[Note]]

    @property
    def sound(self) -> bool:
        """Whether no message must keep the alert from going out."""
        return not any(note.error for preview in self.previews for note in preview.notes)


async def proof(context: Context, alert: Alert, reply_code: str | None, language: str, *, place: str = "") -> Proof:
    """The messages as recipients at `place` get them, the spoken ones as all hear them; the lint judges them as the
    longest-named place does."""
    office = await context.office_in_force()
    skeletons = render_all(alert, reply_code or REPLY_CODE, issuer=office.issuer, library=office.library)
    real = office.longest_link or f"{context.settings.web.public_url}/r/{'x' * 12}"
    found = lint(alert, skeletons, link=real)
    previews = [_preview(context, alert, one, skeletons, found, place, real, language) for one in skeletons]
    notes: dict[str, list[Note]] = {}
    for finding in found:
        if finding.channel is None or finding.field:
            name = finding.field if finding.field in draft_form.TEXTS else ""
            suffix = "_en" if name and finding.language == "en" else ""
            if finding.code == "untranslated" and finding.language == "en":
                name, suffix = "headline", "_en"
            note = _note(finding, language)
            if note not in notes.setdefault(name + suffix, []):
                notes[name + suffix].append(note)
    return Proof(tuple(sorted(previews, key=lambda one: (one.purpose, _ORDER.index(one.medium)))), notes)


_MISSING = frozenset({"hazard", "colour", "info", "headline", "instruction", "effective", "expires", "area"})


def lacks(found: Sequence[Lack], language: str, *, tried: bool) -> dict[str, list[Note]]:
    """What an alert still lacks, by the form's field. Whoever has `tried` to send it has come to everything."""
    notes: dict[str, list[Note]] = {}
    for one in found:
        text = one.text
        if language == ENGLISH:
            text = catalogue(ENGLISH).gettext(WORDS["lack"].get(one.code, one.text))
        notes.setdefault(draft_form.field_of(one.code, one.field), []).append(
            Note(True, text, missing=one.code in _MISSING and not tried)
        )
    return notes


async def recording(context: Context, alert: Alert, medium: str, reply_code: str | None) -> web.FileResponse:
    """What a loudspeaker plays, or a call says, of this alert: made now, unless it has been."""
    channel = next((one for one in SPOKEN if one.value == medium), None)
    if channel is None:
        raise NotFoundError("没有这种录音。", remedy="请从页面上播放。")
    office = await context.office_in_force()
    skeletons = [
        render(
            alert,
            channel,
            tag,
            Purpose.PUBLIC,
            reply_code or REPLY_CODE,
            issuer=office.issuer,
            library=office.library,
        )
        for tag in ("zh-CN", *_others(alert))
    ]
    first, *after = _heard(context, alert, skeletons[0], skeletons)
    audio = await context.studio.build(
        first.text,
        channel,
        colour=_tone(alert),
        repeats=REPEATS[channel],
        drill=alert.rehearsal,
        language=first.language,
        then=after,
    )
    return web.FileResponse(audio.path, headers={"Content-Type": audio.media_type})


async def letter(context: Context, alert: Alert, reply_code: str | None, place: str) -> web.Response:
    """The mail to households as a mail program shows it."""
    office = await context.office_in_force()
    skeleton = render(
        alert,
        Medium.EMAIL,
        "zh-CN",
        Purpose.PUBLIC,
        reply_code or REPLY_CODE,
        issuer=office.issuer,
        library=office.library,
    )
    message = skeleton.fill(place, _link(context), "")
    title = f"<!doctype html><html lang=zh-Hans><meta charset=utf-8><title>{escape(message.subject)}</title>"
    response = web.Response(text=title + message.html, content_type="text/html")
    response[LETTER] = True
    return response


def _link(context: Context) -> str:
    return f"{context.settings.web.public_url}/r/…"


def _heard(context: Context, alert: Alert, one: Skeleton, all_: Sequence[Skeleton]) -> tuple[Passage, ...]:
    """What is said in the order in which it is said: over a loudspeaker all languages of the alert, among `all_`."""
    text = one.fill().text
    if one.medium is not Medium.LOUDSPEAKER or one.language != "zh-CN":
        return (Passage(text, one.language),)
    others = _others(alert)
    written = [
        Passage(other.fill().text, other.language)
        for other in all_
        if (other.medium, other.purpose) == (one.medium, one.purpose) and other.language in others
    ]
    after = said_after(text, context.settings.speech.dialects, written)
    return (Passage(text, one.language), *(passage for passage in after if context.studio.speaks(passage.language)))


def _others(alert: Alert) -> tuple[str, ...]:
    return other_languages(info.language for info in alert.infos)


def _preview(
    context: Context,
    alert: Alert,
    one: Skeleton,
    all_: Sequence[Skeleton],
    found: Sequence[Finding],
    place: str,
    real: str,
    language: str,
) -> Preview:
    """`real`: a link as long as the real ones, by which a text message's parts are counted."""
    link = _link(context)
    # one recording is for everybody
    message = one.fill() if one.medium in SPOKEN else one.fill(place, link, "")
    cut = segment(one.fill(place, real, "").text) if one.medium is Medium.SMS else None
    seconds = 0.0
    heard: tuple[Passage, ...] = ()
    if one.medium in SPOKEN and message.text:
        first, *after = said = _heard(context, alert, one, all_)
        seconds = context.studio.estimate(
            first.text,
            one.medium,
            colour=_tone(alert),
            repeats=REPEATS[one.medium],
            drill=alert.rehearsal,
            language=first.language,
            then=after,
        )
        wording = context.studio.wording
        heard = tuple(Passage(wording(part.text, part.language), part.language) for part in said)
    about = [
        _note(finding, language)
        for finding in found
        if (finding.channel, finding.purpose, finding.language) == (one.medium, one.purpose, one.language)
        and not finding.field
    ]
    return Preview(
        medium=one.medium,
        purpose=one.purpose,
        language=language_of(one.language).tag,
        message=message,
        parts=cut.parts if cut else 0,
        units=cut.units if cut else 0,
        seconds=seconds,
        heard=heard,
        spoken=hashlib.sha256(repr((message.text, heard)).encode()).hexdigest()[:12],
        notes=tuple(about),
    )


def _note(finding: Finding, language: str) -> Note:
    text = finding.text
    if language == ENGLISH:
        text = finding.english.replace("“", '"').replace("”", '"')
    return Note(finding.severity is Severity.ERROR, text)


def _tone(alert: Alert) -> str:
    """As at issue: a warning sounds in its colour, an order and an all-clear have the chime."""
    return alert.colour.value if alert.colour and alert.kind is Kind.WARNING else ""
