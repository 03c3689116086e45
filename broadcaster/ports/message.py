"""What goes out: a message, to whom, under which key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from broadcaster.ports.sound import Audio


class Medium(StrEnum):
    """The channels of the house: the ways to reach people."""

    SMS = "sms"
    WECHAT = "wechat"
    EMAIL = "email"
    VOICE = "voice"
    LOUDSPEAKER = "loudspeaker"


class DeliveryKey(NamedTuple):
    """Which attempt of which delivery: our client reference wherever a protocol has room for one."""

    alert: int
    ordinal: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.alert}-{self.ordinal}-{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> DeliveryKey:
        """The key that `str()` wrote; ValueError for anything else."""
        alert, ordinal, attempt = text.split("-")
        return cls(int(alert), int(ordinal), int(attempt))


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes along with a mail: its name (ASCII), media type and octets. All messages of an alert hold the
    same one, so that a driver may encode it once."""

    name: str
    media_type: str
    content: bytes


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The alert that a message belongs to, for gateways that pass it on as a whole: platforms, terminals with a screen.

    `identifier` is CAP's, `references` those of the messages that it updates or cancels; `kind` warning, mobilization
    or all_clear; `status` Actual, Exercise or Test; `msg_type` Alert, Update or Cancel; `event` five characters of GB/T
    35561 ("" where none is known); `colour` red, orange, yellow, blue or ""; `title` its headline; `sender` its
    issuer's name; `regions` the codes of the area, prefixes of 6 to 15 digits; `languages` the tags of what it is
    written in; `starts` and `ends` when it applies.
    """

    identifier: str
    references: tuple[str, ...] = ()
    kind: str
    status: str
    msg_type: str
    event: str = ""
    colour: str = ""
    title: str
    sender: str
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sent: datetime
    starts: datetime
    ends: datetime

    @property
    def drill(self) -> bool:
        """Whether it is no real alert."""
        return self.status != "Actual"


class Message(msgspec.Struct, frozen=True, gc=False):
    """One text as it goes out on one medium, complete: nothing is filled in after this.

    `text` is the SMS text, the mail's plain body, the spoken text; `subject` the mail's subject or the card's title;
    `html` the mail's HTML body; `fields` a template's named values (WeChat); `url` the reply or information page;
    `audio` the file for voice and loudspeakers; `notice` the alert that it says (None: a trial of the gateway);
    `attachments` the files that go along with a mail; `answer` what its reader is asked to reply ("" nothing): a medium
    with buttons makes one of it.
    """

    text: str
    subject: str = ""
    html: str = ""
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    url: str = ""
    audio: Audio | None = None
    notice: Notice | None = None
    attachments: tuple[Attachment, ...] = ()
    answer: str = ""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """One message to one address. `urgency` is 0 (red) to 3 (blue); nothing is sent after `expires`."""

    key: DeliveryKey
    address: str
    message: Message
    urgency: int
    expires: datetime
