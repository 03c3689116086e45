"""What the lint says: one finding about one rendered message, in Chinese first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from broadcaster.ports import Medium
from templates.skeleton import Purpose


class Severity(StrEnum):
    """An error keeps the message from going out; a warning is shown beside the text."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is a stable name for machines; `text` (Chinese) and `english` say what is wrong, where, what to do.

    `channel`, `language` and `purpose` name the message; they are None and "" where the alert itself is meant. `field`
    is the officer's text that it is about, where it is about one: headline, event, description or instruction.
    """

    code: str
    severity: Severity
    channel: Medium | None
    language: str
    purpose: Purpose | None
    text: str
    english: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an office allows. `sms_parts`: most short messages that one text may take; `spoken_seconds`: longest text
    that is read out once, at about four syllables a second.
    """

    sms_parts: int = 8
    spoken_seconds: float = 120.0
