"""Every message of an alert as it will arrive, with what the lint says about it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from broadcaster.alerts import draft_form
from broadcaster.alerts.alert import Alert, Kind
from broadcaster.alerts.lifecycle import Finding as Lack
from broadcaster.catalogue import ENGLISH
from broadcaster.dispatch.recordings import REPEATS
from broadcaster.errors import NotFoundError
from broadcaster.ports import Medium, Message
from broadcaster.web.context import Context
from broadcaster.web.language import catalogue
from broadcaster.web.pages.words import WORDS
from templates.finding import Finding, Severity
from templates.language import language_of
from templates.lint import lint
from templates.renderer import render, render_all
from templates.segments import segment
from templates.skeleton import SPOKEN, Purpose, Skeleton

REPLY_CODE = "88"
"""Stands where an alert that is not out yet will have its code."""

_ORDER = (Medium.SMS, Medium.LOUDSPEAKER, Medium.VOICE, Medium.WECHAT, Medium.EMAIL)


@dataclass(frozen=True, slots=True)
class Note:
    """Something to see to, at a field or a message: an error keeps the alert from going out."""

    error: bool
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """One message. `parts` and `units` of a text message, `seconds` of a recording, both 0 for the others; `spoken` is
    the digest of what is said, so that a browser never plays an older recording."""

    medium: Medium
    purpose: Purpose
    language: str
    message: Message
    parts: int
    units: int
    seconds: float
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
    """The messages as recipients at `place` get them; the lint judges them as the longest-named place does."""
    office = await context.office_in_force()
    skeletons = render_all(alert, reply_code or REPLY_CODE, issuer=office.issuer, library=office.library)
    found = lint(alert, skeletons, link=office.longest_link or f"{context.settings.web.public_url}/r/{'x' * 12}")
    link = f"{context.settings.web.public_url}/r/…"
    previews = [_preview(context, alert, one, found, place, link, language) for one in skeletons]
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


def lacks(found: Sequence[Lack], language: str) -> dict[str, list[Note]]:
    """What an alert still lacks, by the form's field."""
    notes: dict[str, list[Note]] = {}
    for one in found:
        text = one.text
        if language == ENGLISH:
            text = catalogue(ENGLISH).gettext(WORDS["lack"].get(one.code, one.text))
        notes.setdefault(draft_form.field_of(one.code, one.field), []).append(Note(True, text))
    return notes


async def recording(context: Context, alert: Alert, medium: str, reply_code: str | None) -> web.FileResponse:
    """What a loudspeaker plays, or a call says, of this alert: made now, unless it has been."""
    channel = next((one for one in SPOKEN if one.value == medium), None)
    if channel is None:
        raise NotFoundError("没有这种录音。", remedy="请从页面上播放。")
    office = await context.office_in_force()
    skeleton = render(
        alert,
        channel,
        "zh-CN",
        Purpose.PUBLIC,
        reply_code or REPLY_CODE,
        issuer=office.issuer,
        library=office.library,
    )
    audio = await context.studio.build(
        skeleton.fill().text,
        channel,
        colour=_tone(alert),
        repeats=REPEATS[channel],
        drill=alert.rehearsal,
        language=skeleton.language,
    )
    return web.FileResponse(audio.path, headers={"Content-Type": audio.media_type})


def _preview(
    context: Context, alert: Alert, one: Skeleton, found: Sequence[Finding], place: str, link: str, language: str
) -> Preview:
    message = one.fill(place, link if one.medium not in SPOKEN else "", "")
    cut = segment(message.text) if one.medium is Medium.SMS else None
    seconds = 0.0
    if one.medium in SPOKEN and message.text:
        repeats = REPEATS[one.medium]
        tone, drill = _tone(alert), alert.rehearsal
        seconds = context.studio.estimate(message.text, one.medium, colour=tone, repeats=repeats, drill=drill)
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
        spoken=hashlib.sha256(message.text.encode()).hexdigest()[:12],
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
