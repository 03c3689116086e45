"""What a mail that comes back is: a report about one of ours, an answer to it, or nothing that counts.

Anybody can write to the mailbox where bounces arrive. Only what carries a key that we have sealed counts: the address
to which it was sent, the envelope id or the Message-ID in a report, the mail that it answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from enum import StrEnum

from broadcaster.ports import DeliveryKey, Receipt, Reply
from channels.email.answering import answer, is_automatic, sender
from channels.email.bounce import is_report, reported, undelivered
from channels.email.letter import field, fields, opened
from channels.email.seal import Seal, Seals
from channels.email.wire import named_by_us

_ADDRESSED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_IN_ANSWER_TO = ("In-Reply-To", "References")


class Kind(StrEnum):
    """What came, in the words of the gateway's page."""

    REPORT = "投递报告"
    BOUNCE = "退信"
    REPLY = "回信"
    NOTICE = "自动通知，不作凭据"
    FORGED = "未加封或封印不符，不予采信"
    STRANGE = "不是退信，也不是回信"

    @property
    def counts(self) -> bool:
        """Whether it is from somebody who has had a mail of ours."""
        return self not in {Kind.FORGED, Kind.STRANGE}


@dataclass(frozen=True, slots=True)
class Post:
    """A mail that came, read."""

    kind: Kind
    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()


def read(raw: bytes, recipients: Sequence[str], arrived: datetime, seals: Seals) -> Post:
    """What a mail is that arrived at `arrived` (aware) for `recipients` (of its envelope, if known). `InputError` for
    what is no mail, or cannot be read with reasonable effort."""
    mail = opened(raw)
    addresses = " ".join((*recipients, *fields(mail, *_ADDRESSED_TO)))
    key = seals.bounce.read(addresses)
    if is_report(mail):
        ours, receipts = reported(mail, arrived, seals.bounce, key)
        if receipts:
            return Post(Kind.REPORT, tuple(receipts))
        if ours or key is None:
            return Post(Kind.NOTICE if ours else Kind.FORGED)
    answered = _answered(mail, addresses, seals)
    if key is None and answered is None:
        return Post(Kind.FORGED if Seal.occurs(addresses) else Kind.STRANGE)
    if key is not None:
        bounced = undelivered(raw, arrived, key)
        if bounced is not None:
            return Post(Kind.BOUNCE, (bounced,))
    if answered is None or is_automatic(mail):
        return Post(Kind.NOTICE)
    said = answer(mail)
    return (
        Post(Kind.REPLY, (), (Reply(_name(mail, raw), sender(mail), said, arrived, answered),))
        if said
        else Post(Kind.NOTICE)
    )


def _answered(mail: Message, addresses: str, seals: Seals) -> DeliveryKey | None:
    """The mail of ours that this one answers."""
    if seals.reply is None:
        return None
    found = seals.reply.read(addresses)
    if found is not None:
        return found
    named = named_by_us(" ".join(fields(mail, *_IN_ANSWER_TO)), seals.bounce)
    return named[1] if named is not None else None


def _name(mail: Message, raw: bytes) -> str:
    """The reply's own id: the same when it comes again."""
    return field(mail, "Message-ID")[:190] or hashlib.sha256(raw).hexdigest()
