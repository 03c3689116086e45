"""Delivery reports (multipart/report, RFC 3464) as receipts.

"Delivered" is evidence of a mailbox, not of a reader. "Relayed" and "expanded" prove nothing about the mailbox,
"delayed" nothing yet: they make no receipt. Without a sealed key a report still counts by the Message-ID it returns:
that one cannot be guessed, and the ledger knows those that were sent.
"""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import datetime
from email import policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime

from broadcaster.errors import InputError
from broadcaster.ports import DeliveryKey, Evidence, Receipt
from channels.email.answer import Status
from channels.email.seal import Seal
from channels.email.wire import OUR_MESSAGE_ID, from_xtext

_EVIDENCE = {"delivered": Evidence.DELIVERED, "failed": Evidence.FAILED}
_ADDRESSED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


def receipts_in(raw: bytes, arrived: datetime, seal: Seal) -> tuple[Receipt, ...]:
    """The receipts that a mail in the bounce mailbox carries: none when it is no report, or not about mails of ours.

    `arrived` (aware) stands in for a missing date. Raises `InputError` for what is no mail at all.
    """
    mail = email.message_from_bytes(raw, policy=policy.default)
    if not mail.keys():
        raise InputError("收到的退信不是一封邮件。", remedy="请把退信邮箱收到的原始邮件（message/rfc822）完整提交。")
    if mail.get_content_type() != "multipart/report":
        return ()
    ref = _original_message_id(mail)
    found = []
    for per_message, per_recipient in _statuses(mail):
        evidence = _EVIDENCE.get(_first_word(per_recipient.get("Action")))
        envelope_id = from_xtext(_text(per_message.get("Original-Envelope-Id")))
        key = seal.read(envelope_id) or _addressed(mail, seal)
        if evidence is not None and (key is not None or OUR_MESSAGE_ID.fullmatch(ref)):
            found.append(Receipt(ref, key, evidence, _reason(per_recipient), _date(mail, per_recipient, arrived)))
    return tuple(found)


def _statuses(mail: EmailMessage) -> Iterator[tuple[Message, Message]]:
    """Each recipient's block of fields, with the block of fields that all recipients share."""
    for part in mail.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            blocks = part.get_payload()
            if isinstance(blocks, list):
                fields = [block for block in blocks if isinstance(block, Message) and block.keys()]
                for block in fields[1:]:
                    yield fields[0], block


def _original_message_id(mail: EmailMessage) -> str:
    """The Message-ID of the mail that is reported on; it is our `ref`."""
    for part in mail.walk():
        if part is mail or part.get_content_type() not in _RETURNED:
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            returned = payload[0]
        else:
            returned = email.message_from_bytes(_bytes(part), policy=policy.default)
        if isinstance(returned, Message) and returned.get("Message-ID"):
            return _text(returned["Message-ID"])
    return ""


def _addressed(mail: EmailMessage, seal: Seal) -> DeliveryKey | None:
    for name in _ADDRESSED_TO:
        for value in mail.get_all(name, []):
            if (key := seal.read(_text(value))) is not None:
                return key
    return None


def _reason(block: Message) -> str:
    """Status and its meaning; the diagnostic text is left out, it names people."""
    status = Status.find(_text(block.get("Status")))
    return f"{status} {status.meaning}" if status is not None and status.kind != 2 else ""


def _date(mail: EmailMessage, block: Message, arrived: datetime) -> datetime:
    for written in (block.get("Last-Attempt-Date"), mail.get("Date")):
        try:
            date = parsedate_to_datetime(_text(written))
        except ValueError:
            continue
        if date.tzinfo is not None:
            return min(date, arrived)
    return arrived


def _first_word(value: object) -> str:
    words = _text(value).split()
    return words[0].lower() if words else ""


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
