"""SMPP 3.4's octets: commands, fields, statuses (Short Message Peer to Peer Protocol Specification v3.4, Issue 1.2).

A PDU is length, command, status, sequence (four octets each, big-endian), then the body: texts that end with a zero,
and optional parameters of tag, length and value.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from channels.sms.parts import ASCII, GBK, UCS2, Part, piece
from channels.sms.session.events import (
    Alive,
    Answered,
    Asked,
    Event,
    Farewell,
    Reported,
    Said,
    SignedIn,
    Verdict,
    WireError,
)
from channels.sms.session.fields import Fields
from channels.sms.session.numbers import national
from channels.sms.session.octets import ANSWER, validity
from channels.sms.session.results import Results


class Command(IntEnum):
    """command_id; an answer's has the highest bit set (§5.1.2.1)."""

    SUBMIT = 0x04
    DELIVER = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    ALERT = 0x102


SUBMIT, DELIVER = int(Command.SUBMIT), int(Command.DELIVER)
ANSWERED, STORED = ANSWER | SUBMIT, ANSWER | DELIVER
"""Plain numbers, for what is read and written once per message."""

GENERIC_NACK = 0x80000000
HEADER = struct.Struct(">IIII")
LONGEST = 70_000
"""Octets of a PDU: a message_payload may have 64 KiB."""

LONGEST_ID = 64

VERSION = 0x34
HEADED = 0x40
"""esm_class: the message begins with a user data header (§5.2.12)."""

RECEIPT = 0x04
TYPE_OF_MESSAGE = 0x3C
"""esm_class of what comes in: these bits say what it is; 0x04 is a delivery receipt."""

MESSAGE_PAYLOAD, RECEIPTED_ID, MESSAGE_STATE = 0x0424, 0x001E, 0x0427
STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
"""message_state (§5.2.28)."""

RESULTS = Results(
    words={
        0x01: "invalid message length",
        0x03: "invalid command",
        0x04: "not bound",
        0x05: "already bound",
        0x08: "system error",
        0x0A: "invalid source address",
        0x0B: "invalid destination address",
        0x0D: "bind failed",
        0x0E: "invalid password",
        0x0F: "invalid system_id",
        0x14: "queue full",
        0x15: "invalid service type",
        0x45: "submit failed",
        0x48: "invalid source TON",
        0x49: "invalid source NPI",
        0x50: "invalid destination TON",
        0x51: "invalid destination NPI",
        0x58: "throttled",
        0x62: "invalid validity period",
        0x64: "temporary error of the receiver",
        0x65: "permanent error of the receiver",
    },
    throttled=frozenset({0x08, 0x14, 0x58, 0x64}),
    unfit=frozenset({0x03, 0x04, 0x05, 0x0A, 0x0D, 0x0E, 0x15, 0x48, 0x49}),
    other="status {:#06x}",
)
"""Not now: system error, queue full, throttling, the receiver's temporary error. Not from us: command, bind state,
source address or service type."""

GSM = bytes.maketrans(b"@$_", b"\x00\x02\x11")
"""Where the handsets' alphabet (3GPP TS 23.038) has the signs that ASCII has elsewhere."""

FROM_GSM = bytes.maketrans(b"\x00\x02\x11", b"@$_")

_STATUS = re.compile(rb"(?:^|\s)stat:([A-Za-z]{1,7})")
_ID = re.compile(rb"(?:^|\s)id:([^\s]+)")


@dataclass(frozen=True, slots=True)
class Account:
    """What was agreed with the gateway. `country` goes before the 11 digits ("86", or "" where it wants none); `gsm`:
    its default alphabet is the handsets', not ASCII; `receipt_ids`: how receipts write the id of a submit's answer."""

    user: str
    password: str
    system_type: str
    source: str
    source_ton: int
    source_npi: int
    country: str
    service: str
    gsm: bool
    receipt_ids: str


class Smpp:
    """The dialect, for one account."""

    shortest, longest = HEADER.size, LONGEST

    def __init__(self, account: Account, busy: Iterable[int] = ()) -> None:
        self._account = account
        self._results = RESULTS.also_throttled(busy)
        self._valid_for: datetime | None = None
        self._valid = b""
        source = bytes([account.source_ton, account.source_npi]) + _c(account.source)
        kind = bytes([1, 1]) if account.country else bytes([0, 1])
        self._before = _c(account.service) + source + kind + account.country.encode()

    def sign_in(self, sequence: int, now: datetime) -> bytes:  # noqa: ARG002 (a dialect may need the time)
        account = self._account
        body = _c(account.user) + _c(account.password) + _c(account.system_type) + bytes([VERSION, 0, 0]) + _c("")
        return _pdu(Command.BIND_TRANSCEIVER, 0, sequence, body)

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes:
        content, coding, total, _ = part
        if coding == ASCII and self._account.gsm:
            head = content[:6] if total > 1 else b""
            content = head + content[len(head) :].translate(GSM)
        if expires is not self._valid_for:
            self._valid_for, self._valid = expires, validity(expires) + b"\0"
        body = b"".join((
            self._before, address.encode(), b"\0",
            bytes([HEADED if total > 1 else 0, 0, 3 - urgency]), b"\0", self._valid,
            bytes([1, 0, coding, 0, len(content)]), content,
        ))  # fmt: skip
        return _pdu(SUBMIT, 0, sequence, body)

    def ask(self, sequence: int) -> bytes:
        return _pdu(Command.ENQUIRE_LINK, 0, sequence, b"")

    def farewell(self, sequence: int) -> bytes:
        return _pdu(Command.UNBIND, 0, sequence, b"")

    def read(self, frame: bytes) -> Event:
        if len(frame) < HEADER.size:
            raise WireError(f"a PDU of {len(frame)} octets")
        _, command, status, sequence = HEADER.unpack_from(frame)
        if command == ANSWERED:
            return self._answer(sequence, status, frame[HEADER.size :])
        if command == DELIVER:
            return self._deliver(sequence, frame)
        return self._of_the_session(command, status, sequence)

    def _of_the_session(self, command: int, status: int, sequence: int) -> Event:  # noqa: PLR0911 (a line per command)
        match command:
            case 0x80000009:
                return SignedIn(RESULTS.why(status))
            case Command.ENQUIRE_LINK:
                return Asked(_pdu(ANSWER | command, 0, sequence, b""))
            case 0x80000015 | Command.ALERT:
                return Alive()
            case Command.UNBIND:
                return Farewell(_pdu(ANSWER | command, 0, sequence, b""))
            case 0x80000006:
                return Farewell()
            case 0x80000000:  # the gateway did not understand one of ours
                return Answered(sequence, Verdict.REFUSED, "", RESULTS.why(status) or "not understood")
        if command < ANSWER:
            return Asked(_pdu(GENERIC_NACK, 0x03, sequence, b""))
        raise WireError(f"command {command:#010x}")

    def _answer(self, sequence: int, status: int, body: bytes) -> Answered:
        number = "" if status else _id(body)
        known = number if self._account.receipt_ids == "same" else number.lstrip("0").lower()
        return self._results.answered(sequence, known, status)

    def _deliver(self, sequence: int, frame: bytes) -> Reported | Said:
        fields = Fields(frame, HEADER.size)
        fields.skip(6, behind=2)
        source = fields.text(21)
        fields.octets(2)
        fields.skip(21)
        kind, _, _ = fields.octets(3)
        fields.skip(17)
        fields.skip(17)
        _, _, coding, _, length = fields.octets(5)
        content = fields.octets(length)
        options = fields.options()
        content = options.get(MESSAGE_PAYLOAD, content)
        acknowledgement = _pdu(STORED, 0, sequence, b"\0")
        if kind & TYPE_OF_MESSAGE == RECEIPT:
            return self._receipt(content, options, acknowledgement)
        if coding == ASCII and self._account.gsm and not kind & HEADED:
            content = content.translate(FROM_GSM)
        found = piece(content, UCS2 if coding == UCS2 else GBK if coding == GBK else ASCII, headed=bool(kind & HEADED))
        return Said("", national(source), found, acknowledgement)

    def _receipt(self, content: bytes, options: dict[int, bytes], acknowledgement: bytes) -> Reported:
        number = options.get(RECEIPTED_ID, b"").rstrip(b"\0")
        if not number and (named := _ID.search(content)):
            number = named[1]
        state = options.get(MESSAGE_STATE, b"")
        status = STATES.get(state[0], "") if state else ""
        if not status and (said := _STATUS.search(content)):
            status = said[1].decode("ascii").upper()
        return Reported(self._known(_id(number)), status or "UNKNOWN", acknowledgement)

    def _known(self, number: str) -> str:
        """The id as a submit's answer wrote it."""
        try:
            match self._account.receipt_ids:
                case "decimal":
                    return f"{int(number):x}"
                case "hex":
                    return str(int(number, 16))
        except ValueError:
            return number
        return number


def _id(field: bytes) -> str:
    """A message_id, which ends with a zero and has at most 65 octets with it (§5.2.23)."""
    return field[:LONGEST_ID].partition(b"\0")[0].decode("ascii", "replace")


def _c(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


def _pdu(command: int, status: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body
