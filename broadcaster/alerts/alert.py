"""The alert: the whole of CAP 1.2 as values, with the house's kind, hazard and colour.

Nothing here changes once made, and nothing here is checked: what may be issued is `lifecycle`'s business, what may be
read is the adapters'. The pieces have their own files and are named here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broadcaster.alerts.area import Area, Circle, NamedValue, Point, Ring
from broadcaster.alerts.colour import Colour
from broadcaster.alerts.info import Info, Resource
from broadcaster.alerts.kind import Kind
from broadcaster.alerts.vocabulary import (
    Category,
    Certainty,
    MsgType,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)

__all__ = [
    "Alert",
    "Area",
    "Category",
    "Certainty",
    "Circle",
    "Colour",
    "Info",
    "Kind",
    "MsgType",
    "NamedValue",
    "Point",
    "Reference",
    "Resource",
    "ResponseType",
    "Ring",
    "Scope",
    "Severity",
    "Status",
    "Urgency",
]


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message, named as CAP names it. `sent` is None only in what CAP 1.0 wrote."""

    sender: str
    identifier: str
    sent: datetime | None


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message. An empty string or tuple means that the element is absent; times are aware.

    `hazard` is a slug of `hazard.HAZARDS`, "" while it is not chosen; `colour` is None while it is not chosen.
    """

    identifier: str
    sender: str
    sent: datetime
    status: Status = Status.ACTUAL
    msg_type: MsgType = MsgType.ALERT
    scope: Scope = Scope.PUBLIC
    source: str = ""
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
    kind: Kind = Kind.WARNING
    hazard: str = ""
    colour: Colour | None = None

    @property
    def rehearsal(self) -> bool:
        """Whether it may only use rehearsal gateways: everything that is not Actual."""
        return self.status is not Status.ACTUAL

    @property
    def effective(self) -> datetime | None:
        """When the alert begins to apply: the earliest `effective` of its infos, `sent` where none says (CAP 3.2.2)."""
        times = [info.effective for info in self.infos if info.effective is not None]
        return min(times, default=self.sent if self.infos else None)

    @property
    def expires(self) -> datetime | None:
        """When it stops to apply: the latest `expires` of its infos; None where any info leaves it open."""
        times = [info.expires for info in self.infos]
        return max((time for time in times if time is not None), default=None) if all(times) else None

    def info(self, language: str) -> Info | None:
        """What it says in `language` (RFC 3066 tag), else in the same primary language, else its first."""
        wanted = language.casefold()
        primary = wanted.partition("-")[0]
        tags = [info.language.casefold() for info in self.infos]
        same = [info for info, tag in zip(self.infos, tags, strict=True) if tag == wanted]
        akin = [info for info, tag in zip(self.infos, tags, strict=True) if tag.partition("-")[0] == primary]
        return next(iter((*same, *akin, *self.infos)), None)
