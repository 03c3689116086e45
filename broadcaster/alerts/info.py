"""What an alert says in one language: CAP's `info` and its resources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broadcaster.alerts.area import Area, NamedValue
from broadcaster.alerts.vocabulary import Category, Certainty, ResponseType, Severity, Urgency


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that belongs to the message: picture, map, recording.

    `size` in bytes; `data` is the file's content in base64 (CAP's derefUri); `digest` SHA-1 in hex.
    """

    description: str
    media_type: str
    size: int | None = None
    uri: str = ""
    data: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Info:
    """One language's account of the event: what, how bad, when, where, and what to do about it.

    An empty string or tuple means that the element is absent. Times are aware.
    """

    event: str
    language: str = "zh-CN"
    categories: tuple[Category, ...] = (Category.OTHER,)
    response_types: tuple[ResponseType, ...] = ()
    urgency: Urgency = Urgency.UNKNOWN
    severity: Severity = Severity.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    audience: str = ""
    event_codes: tuple[NamedValue, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[NamedValue, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()
