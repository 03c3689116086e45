"""The texts that a template proposes to an officer: headline, description and instruction of a hazard and a colour."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from broadcaster.alerts.alert import Alert
from broadcaster.alerts.kind import Kind
from broadcaster.ports import Medium
from templates.blanks import Blanks
from templates.facts import facts_of, texts_of
from templates.issuer import Issuer
from templates.language import closes, language_of
from templates.library import Library, Page
from templates.skeleton import Purpose


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the template would say where the officer says nothing."""

    headline: str
    description: str
    instruction: str


def propose(alert: Alert, issuer: Issuer, library: Library, language: str = "zh-CN") -> Proposal:
    """The proposal for an alert of this hazard, colour and kind, whatever it says itself.

    `SettingsError` for a template that cannot be used.
    """
    bare = replace(
        alert, infos=tuple(replace(info, headline="", description="", instruction="") for info in alert.infos)
    )
    spoken = language_of(language)
    blanks = Blanks.absent_from(texts_of(bare, issuer))
    facts = facts_of(bare, spoken, issuer, blanks, reply_code="", linked=False, oneline=True)
    kind = Kind.ALL_CLEAR.value if closes(bare) else bare.kind.value if bare.kind is not Kind.WARNING else ""
    page = Page(Medium.SMS, Purpose.PUBLIC, spoken.tag, bare.hazard, kind)
    texts = library.blocks(page, ("title", "outlook", "action"), asdict(facts))
    district = issuer.place(spoken)
    written = {name: text.strip().replace(blanks.place, district) for name, text in texts.items()}
    return Proposal(written["title"], written["outlook"], written["action"])
