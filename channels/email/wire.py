"""The places in a mail and around it that carry our delivery key (RFC 3461, RFC 5322).

The key travels sealed in several places, because each survives what loses another: ENVID of the DSN extension (RFC
3461), the return path (VERP: `bounce+7-12-1.<seal>@…`), the Message-ID, which names the delivery without the attempt,
and Reply-To where answers are read.
"""

from __future__ import annotations

import hmac
import re

from broadcaster.ports import DeliveryKey, Envelope
from channels.email.seal import Seal

_OUR_MESSAGE_ID = re.compile(r"<([0-9]{1,12})-([0-9]{1,12})\.([0-9a-f]{16})\.[0-9a-f]{16}@[^<>@\s]{1,255}>")
_XTEXT_ODD = re.compile(r"[^!-*,-<>-~]")  # RFC 3461 4: all printable ASCII but "+" and "=" stands for itself
_XTEXT_HEX = re.compile(r"\+([0-9A-F]{2})")


def message_id(envelope: Envelope, recipient: str, seal: Seal, domain: str) -> str:
    """The same for every attempt to send a mail, so that mailboxes show it once; different for everything else."""
    delivery = f"{envelope.key.alert}-{envelope.key.ordinal}"
    said = "\0".join((delivery, recipient, envelope.message.subject, envelope.message.text))
    return f"<{delivery}.{seal.mark(f'id {delivery}')}.{seal.mark(said)}@{domain}>"


def named_by_us(text: str, seal: Seal) -> tuple[str, DeliveryKey] | None:
    """The first Message-ID of ours in `text`, with its delivery; the attempt is given as the first. None when there is
    none, or its seal is wrong."""
    for match in _OUR_MESSAGE_ID.finditer(text):
        delivery = f"{match[1]}-{match[2]}"
        if hmac.compare_digest(seal.mark(f"id {delivery}"), match[3]):
            return match[0], DeliveryKey(int(match[1]), int(match[2]), 1)
    return None


def verp(mailbox: str, sealed: str) -> str:
    """The mailbox's address for one mail: with the sealed key as its plus part."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{sealed}@{domain}"


def xtext(text: str) -> str:
    """`text` as xtext (RFC 3461 4); ValueError for what is not ASCII."""
    text.encode("ascii")
    return _XTEXT_ODD.sub(lambda match: f"+{ord(match[0]):02X}", text)


def from_xtext(written: str) -> str:
    """What `xtext` wrote."""
    return _XTEXT_HEX.sub(lambda match: chr(int(match[1], 16)), written)
