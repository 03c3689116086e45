"""An alert turned into skeletons: one for each medium, language and purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict

from broadcaster.alerts.alert import Alert
from broadcaster.alerts.kind import Kind
from broadcaster.errors import InputError
from broadcaster.ports import Medium
from templates.blanks import Blanks, Pieces
from templates.facts import facts_of, texts_of
from templates.fields import FIELDS, shorten
from templates.issuer import Issuer
from templates.language import Language, Mark, closes, language_of
from templates.library import BUILT_IN, Library, Page
from templates.skeleton import SPOKEN, Purpose, Sheet, Skeleton
from templates.speech import speak

PARTS: dict[Medium, tuple[str, ...]] = {
    Medium.SMS: ("text",),
    Medium.VOICE: ("text",),
    Medium.LOUDSPEAKER: ("text",),
    Medium.EMAIL: ("text", "subject", "html"),
    Medium.WECHAT: ("text", "subject", *FIELDS),
}
"""The blocks that a medium's template must define, in the order they are rendered."""

MARKED_FIELDS = ("first", "keyword1", "remark")
"""The card's fields that carry the mark of a rehearsal: the first line, the line that is always shown, the last."""

Texts = dict[str, str]


def render(
    alert: Alert,
    medium: Medium,
    language: str,
    purpose: Purpose,
    reply_code: str = "",
    *,
    issuer: Issuer,
    library: Library = BUILT_IN,
) -> Skeleton:
    """The message of `alert` on `medium`, for everyone at once; `Skeleton.fill` makes each recipient's.

    A language that we do not speak becomes Chinese. Raises SettingsError for a template that cannot be used, and
    InputError for units on loudspeakers: nobody can confirm there.
    """
    if purpose is Purpose.UNIT and medium is Medium.LOUDSPEAKER:
        raise InputError("大喇叭不能单独通知责任人。", remedy="请改用他们能答复的渠道。")
    spoken = language_of(language)
    blanks = Blanks.absent_from(texts_of(alert, issuer))
    kind = Kind.ALL_CLEAR.value if closes(alert) else alert.kind.value if alert.kind is not Kind.WARNING else ""
    page = Page(medium, purpose, spoken.tag, alert.hazard, kind)

    def sheet(*, linked: bool) -> tuple[Sheet, tuple[str, ...]]:
        oneline = medium is not Medium.EMAIL
        facts = facts_of(alert, spoken, issuer, blanks, reply_code=reply_code, linked=linked, oneline=oneline)
        texts = library.blocks(page, PARTS[medium], asdict(facts))
        finished = _finish(texts, page, spoken, spoken.mark(alert.status), blanks)
        shortened = shorten(finished) if medium is Medium.WECHAT else ()
        return _cut(finished, blanks), shortened

    linked, shortened = sheet(linked=True)
    unlinked, _ = sheet(linked=False)
    return Skeleton(
        medium, spoken.tag, purpose, linked, unlinked, issuer.place(spoken), spoken.unit, shortened=shortened
    )


def render_all(
    alert: Alert,
    reply_code: str = "",
    *,
    issuer: Issuer,
    library: Library = BUILT_IN,
    languages: Iterable[str] = ("zh-CN", "en"),
) -> tuple[Skeleton, ...]:
    """Every medium × language × purpose that there is; languages that mean the same one are rendered once."""
    tags = dict.fromkeys(language_of(language).tag for language in languages)
    return tuple(
        render(alert, medium, tag, purpose, reply_code, issuer=issuer, library=library)
        for purpose in Purpose
        for medium in Medium
        if (purpose, medium) != (Purpose.UNIT, Medium.LOUDSPEAKER)
        for tag in tags
    )


def _finish(texts: Texts, page: Page, language: Language, mark: Mark | None, blanks: Blanks) -> Texts:
    if page.medium is not Medium.EMAIL:
        texts = {name: re.sub(r"\s*\n\s*", language.joint, text).strip() for name, text in texts.items()}
    if page.medium in SPOKEN:
        said = speak(texts["text"], language.tag, keep=blanks.all)
        return {"text": f"{mark.opening}{said}{mark.closing}" if mark else said}
    texts = {name: text.strip() for name, text in texts.items()}
    if mark is None:
        return texts
    gaps = dict.fromkeys(texts, language.joint)
    if page.medium is Medium.EMAIL:
        gaps["text"] = "\n"
    elif texts["text"].endswith(blanks.link):
        gaps["text"] = " "  # a page's address must end before the mark begins
    return {name: _marked(name, text, mark.written, gaps[name]) for name, text in texts.items()}


def _marked(name: str, text: str, mark: str, gap: str) -> str:
    if name == "html":
        return f"<p><strong>{mark}</strong></p>\n{text}\n<p><strong>{mark}</strong></p>"
    if name == "keyword1":
        return f"{mark}{gap}{text}"
    return f"{mark}{gap}{text}{gap}{mark}" if name in ("text", "subject", *MARKED_FIELDS) else text


def _cut(texts: Texts, blanks: Blanks) -> Sheet:
    pieces = {name: Pieces.cut(text, blanks) for name, text in texts.items()}
    return Sheet(
        text=pieces["text"],
        subject=pieces.get("subject"),
        html=pieces.get("html"),
        fields={name: pieces[name] for name in FIELDS if name in pieces} or None,
    )
