"""Message templates as the office writes them: tried with every alert that would use them before they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.database import Connection
from broadcaster.decisions.versions import Subject, bodies
from broadcaster.errors import SettingsError
from broadcaster.phrase import Bilingual, ours, phrase
from broadcaster.ports import Medium
from templates.checking import FileName, faults
from templates.issuer import Issuer
from templates.library import BASE, WORDING, Library
from templates.lint import LONGEST_LINK, LONGEST_PLACE, Finding, Severity, lint
from templates.renderer import render
from templates.sample import REPLY_CODE, Occasion, Sample, alert_of
from templates.skeleton import Purpose, Skeleton

SHOWN_HAZARD = "typhoon"
"""The hazard that files of no hazard are tried with."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One alert with its messages in one language, and what the lint says of them."""

    sample: Sample
    skeletons: tuple[Skeleton, ...]
    findings: tuple[Finding, ...]


async def written(connection: Connection) -> dict[str, str]:
    """The texts of the template files that the office wrote, by name."""
    return await bodies(connection, Subject.TEMPLATE)


def folders(library: Library) -> tuple[str, ...]:
    """Every folder that may hold files: the layouts, the kinds, the hazards."""
    own = {name.partition("/")[0] for name in library.names if not name.startswith("house/")}
    return tuple(dict.fromkeys([BASE, Occasion.MOBILIZATION, Occasion.ALL_CLEAR, *HAZARDS, *sorted(own)]))


def beginning(name: FileName, library: Library) -> str:
    """What a file that does not exist yet begins with."""
    if name.folder in tuple(Occasion):
        return "{% extends hazard %}\n"
    wording = f"{name.folder}/{WORDING}.{name.language}.j2"
    if name.page != WORDING and wording in library.names:
        return f'{{% extends "{wording}" %}}\n'
    return "{% extends layout %}\n"


def try_out(library: Library, name: FileName, sample: Sample, issuer: Issuer, now: datetime) -> Trial:
    """Render what `name` is used for; `SettingsError` for a template that cannot be used."""
    alert = alert_of(sample, now, issuer.name)
    skeletons = tuple(
        render(alert, medium, name.language, purpose, REPLY_CODE, issuer=issuer, library=library)
        for medium, purpose in _pages(name)
    )
    findings = lint(alert, skeletons, place=LONGEST_PLACE, link=LONGEST_LINK)
    return Trial(sample, skeletons, tuple(findings))


def shown_sample(name: FileName, colour: Colour, occasion: Occasion, *, worded: bool) -> Sample:
    """The alert that a file is shown with, as far as the reader may choose it."""
    hazard = name.folder if name.folder in HAZARDS else SHOWN_HAZARD
    own = Occasion(name.folder) if name.folder in tuple(Occasion) else occasion
    return Sample(hazard, colour, own, worded=worded)


def with_text(library: Library, name: FileName, text: str) -> Library:
    """The library as it would be with `text` in force as `name`."""
    return Library(library.directory, {**library.written, str(name): text})


def refusals(library: Library, name: FileName, text: str, issuer: Issuer, now: datetime) -> list[str]:
    """Why `text` must not be saved as `name`: it cannot be used, or makes messages that may not go out which the text
    in force does not make."""
    wrong = faults(text)
    if wrong:
        return wrong
    changed = with_text(library, name, text)
    found: dict[str, None] = {}
    for sample in _samples(name):
        try:
            after = _errors(try_out(changed, name, sample, issuer, now))
        except SettingsError as error:
            return [_about(sample, error.what)]
        if after:
            before = _errors_before(library, name, sample, issuer, now)
            found |= {_about(sample, words): None for key, words in after.items() if key not in before}
    return list(found)


def _pages(name: FileName) -> Iterator[tuple[Medium, Purpose]]:
    """The messages that a file may have a part in: wordings and layouts of the base are others' ground."""
    for purpose in Purpose:
        for medium in Medium:
            if (medium, purpose) == (Medium.LOUDSPEAKER, Purpose.UNIT):
                continue
            if name.page in (WORDING, f"{medium}.{purpose}") or _stands_on(name, medium, purpose):
                yield medium, purpose


def _stands_on(name: FileName, medium: Medium, purpose: Purpose) -> bool:
    """The layout for units of a medium extends the one for the public."""
    return name.folder == BASE and purpose is Purpose.UNIT and name.page == f"{medium}.{Purpose.PUBLIC}"


def _samples(name: FileName) -> Iterator[Sample]:
    """The alerts that would use a file: every branch that the built-in files have is gone through."""
    hazards = [name.folder] if name.folder in HAZARDS else [SHOWN_HAZARD, "generic"]
    occasions = [Occasion(name.folder)] if name.folder in tuple(Occasion) else list(Occasion)
    for hazard in hazards:
        for occasion in occasions:
            severe = Sample(hazard, Colour.RED, occasion)
            yield from (severe, replace(severe, worded=True), replace(severe, colour=Colour.BLUE))
    yield from (Sample(hazards[0], colour, occasions[0]) for colour in (Colour.ORANGE, Colour.YELLOW))
    yield Sample(hazards[0], Colour.RED, occasions[0], drill=True)


def _errors(trial: Trial) -> dict[tuple[object, ...], str]:
    return {
        (one.code, one.channel, one.language, one.purpose): in_words(one)
        for one in trial.findings
        if one.severity is Severity.ERROR
    }


def _errors_before(
    library: Library, name: FileName, sample: Sample, issuer: Issuer, now: datetime
) -> dict[tuple[object, ...], str]:
    try:
        return _errors(try_out(library, name, sample, issuer, now))
    except SettingsError:
        return {}


def in_words(finding: Finding) -> str:
    """What is wrong, and where."""
    text = Bilingual(finding.text, finding.english)
    return phrase("%(finding)s（%(channel)s）", finding=text, channel=finding.channel or ours("各渠道"))


def _about(sample: Sample, what: str) -> str:
    return phrase("%(case)s：%(what)s", case=_case(sample), what=ours(what))


def _case(sample: Sample) -> str:
    hazard, colour = ours(HAZARDS[sample.hazard].chinese), ours(f"{sample.colour.chinese}色")
    match sample.occasion:
        case Occasion.ALL_CLEAR:
            return phrase("%(hazard)s解除", hazard=hazard)
        case Occasion.MOBILIZATION:
            return phrase("%(hazard)s%(colour)s动员令", hazard=hazard, colour=colour)
    return phrase("%(hazard)s%(colour)s预警", hazard=hazard, colour=colour)
