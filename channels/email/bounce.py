"""Delivery reports (multipart/report, RFC 3464) and what servers send instead of them, as receipts.

"Delivered" is evidence of a mailbox, not of a reader. "Relayed" and "expanded" prove nothing about the mailbox,
"delayed" nothing yet: they make no receipt.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Set
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from flufl.bounce import all_failures

from broadcaster.ports import DeliveryKey, Evidence, Receipt
from channels.email.answer import Status
from channels.email.letter import field, from_a_server, octets, opened, subject, text
from channels.email.seal import Seal
from channels.email.wire import from_xtext, named_by_us

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
_RETURNED_FOR_GOOD = re.compile(
    r"退信|被退回|无法送达|未能送达|投递失败|发送失败|不存在|拒收|undeliver|returned to sender|delivery.{0,20}failed",
    re.IGNORECASE,
)
_STILL_TRYING = re.compile(r"延迟|延误|暂时|稍后|继续尝试|重试|delayed|will retry|still being|warning", re.IGNORECASE)
_MOST_RECIPIENTS = 20
_LONGEST_WORDS = 4_000
_MOST_LINES = 400
"""Of a bounce without a report: every line is compared with all the forms that are known."""
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it would log the mails that it cannot read


def is_report(mail: Message) -> bool:
    """Whether it says of itself that it is a delivery report; some servers leave the outer type out."""
    return any(part.get_content_type() in _STATUS_PARTS for part in mail.walk())


def reported(mail: Message, arrived: datetime, seal: Seal, addressed: DeliveryKey | None) -> tuple[bool, list[Receipt]]:
    """Whether a report is about mails of ours, and the receipts in it. `addressed`: the key of the address to which it
    was sent; ENVID says more. `arrived` (aware) stands in for a missing date."""
    ref, named = _returned(mail, seal)
    ours, found = named is not None, []
    for per_message, per_recipient in _statuses(mail):
        key = seal.read(from_xtext(field(per_message, "Original-Envelope-Id"))) or addressed
        ours = ours or key is not None
        evidence = _evidence(field(per_recipient, "Action"))
        if evidence is not None and (key is not None or named is not None):
            found.append(Receipt(ref, key, evidence, _reason(per_recipient), _date(mail, per_recipient, arrived)))
    return ours, found


def undelivered(raw: bytes, arrived: datetime, key: DeliveryKey) -> Receipt | None:
    """The receipt of a bounce without a (whole) report, that came to the return path of the mail `key`: a failure, when
    it says that of some address for good, in words that are known or, from a server, by a status code; else None."""
    mail = opened(raw, _MOST_LINES)
    temporary, permanent = _detected(mail)
    words = _words(mail)
    status = Status.find(words)
    if temporary and not permanent:
        return None
    if not permanent and not (_by_a_server(mail) and _says_for_good(words, status)):
        return None
    why = f"{status} {status.meaning}" if status is not None and status.kind == 5 else "对方退回，未说明状态码"
    return Receipt("", key, Evidence.FAILED, why, _date(mail, mail, arrived))


def _evidence(action: str) -> Evidence | None:
    """Some servers say more than the one word, some "error" for "failed"."""
    word = action.lower()
    if word.startswith(("fail", "error")):
        return Evidence.FAILED
    return Evidence.DELIVERED if word.startswith("delivered") else None


def _statuses(mail: Message) -> Iterator[tuple[Message, Message]]:
    """Each recipient's block of fields, with the block of fields that all recipients share."""
    left = _MOST_RECIPIENTS
    for part in mail.walk():
        if part.get_content_type() not in _STATUS_PARTS:
            continue
        for block in _blocks(part)[1:]:
            if left:
                left -= 1
                yield _blocks(part)[0], block


def _blocks(part: Message) -> list[Message]:
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return []
    return [block for block in blocks if isinstance(block, Message) and block.keys()][: _MOST_RECIPIENTS + 1]


def _returned(mail: Message, seal: Seal) -> tuple[str, DeliveryKey | None]:
    """The Message-ID of the mail that is reported on, if it is one of ours; it is our `ref`."""
    for part in mail.walk():
        if part is mail or part.get_content_type() not in _RETURNED:
            continue
        payload = part.get_payload()
        returned = payload[0] if isinstance(payload, list) and payload else _headers(octets(part))
        if isinstance(returned, Message) and (ours := named_by_us(field(returned, "Message-ID"), seal)):
            return ours
    return "", None


def _headers(content: bytes) -> Message | None:
    head = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return opened(head + b"\n\n") if b":" in head else None


def _words(mail: Message) -> str:
    """What a bounce says for people, from its beginning."""
    said = [subject(mail)]
    for part in mail.walk():
        if part.get_content_maintype() == "text" and part.get_content_type() not in _RETURNED:
            said.append(text(part)[:_LONGEST_WORDS])
            break
    return " ".join(said)


def _says_for_good(words: str, status: Status | None) -> bool:
    """Whether a server's words mean a failure: its code, or what the providers here write instead of one."""
    if status is not None:
        return status.kind == 5
    return bool(_RETURNED_FOR_GOOD.search(words)) and not _STILL_TRYING.search(words)


def _by_a_server(mail: Message) -> bool:
    """Whether a server wrote it, and not a person's vacation notice."""
    return from_a_server(mail) and not field(mail, "Auto-Submitted").lower().startswith("auto-replied")


def _detected(mail: Message) -> tuple[Set[bytes], Set[bytes]]:
    """The addresses that a bounce names as failed for now and for good, by the forms that are known."""
    try:
        return all_failures(mail)
    except Exception:  # whatever somebody else's heuristics stumble over is no bounce of a known form
        return frozenset(), frozenset()


def _reason(block: Message) -> str:
    """Status and its meaning; the diagnostic text is left out, it names people."""
    status = Status.find(field(block, "Status"))
    return f"{status} {status.meaning}" if status is not None and status.kind != 2 else ""


def _date(mail: Message, block: Message, arrived: datetime) -> datetime:
    for written in (field(block, "Last-Attempt-Date"), field(mail, "Date")):
        try:
            date = parsedate_to_datetime(written[:100])
        except (ValueError, OverflowError):
            continue
        if date.tzinfo is not None:
            return min(date, arrived)
    return arrived
