"""The front of SMPP 3.4: the message centre's side (Short Message Peer to Peer Protocol Specification v3.4, Issue 1.2).

Written from the specification, apart from the driver. A receipt names its message by optional parameters and in the
text.
"""

from __future__ import annotations

import hmac
import struct
from typing import TYPE_CHECKING, ClassVar

from broadcaster.ports import Medium
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.carrier import ANSWER, DELIVER, SUBMIT, Carrier, Submitted, numbers
from broadcaster.rehearsal.fronts.cmpp import national
from broadcaster.rehearsal.fronts.front import WRONG_PASSWORD, FrontError
from broadcaster.rehearsal.fronts.statuses import status
from broadcaster.rehearsal.judge import BAD_ADDRESS, EXPIRED
from broadcaster.rehearsal.script import CarrierFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, ReplyRow
from channels.sms.parts import Part

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

GENERIC_NACK = ANSWER
RECEIVER, TRANSMITTER, TRANSCEIVER = 1, 2, 9
UNBIND, ENQUIRE_LINK = 6, 0x15

HEADER = struct.Struct(">IIII")
VERSION = 0x34
INVALID_COMMAND, BIND_FAILED, INVALID_PASSWORD = 0x03, 0x0D, 0x0E
INVALID_RECEIVER, SUBMIT_FAILED, THROTTLED, INVALID_VALIDITY = 0x0B, 0x45, 0x58, 0x62

HEADED, RECEIPT = 0x40, 0x04
"""esm_class: the text begins with a user data header; this is a delivery receipt."""

INTERFACE_VERSION, RECEIPTED_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x0210, 0x001E, 0x0427, 0x0424
STATES = {b"DELIVRD": 2, b"EXPIRED": 3, b"DELETED": 4, b"UNDELIV": 5, b"ACCEPTD": 6, b"UNKNOWN": 7, b"REJECTD": 8}
UNDELIVERABLE = 5

INTERNATIONAL, NUMBERING = b"\x01\x01", b"\x00\x01"
"""TON and NPI of a number with the country's code, and of one without."""


class SmppFront(Carrier):
    """One connection."""

    protocol: ClassVar[str] = "smpp"
    shortest = 16
    longest = 70_000
    handset = True
    sends = True

    _source = b""
    _country = ""

    def submitted(self, data: bytes, at: int, length: int) -> Submitted:
        end = at + length
        sequence = int.from_bytes(data[at + 12 : at + 16])
        if not self.sends:
            raise FrontError("a submit_sm of a receiver")
        try:
            service = data.index(b"\0", at + 16, end)
            source = data.index(b"\0", service + 3, end)
            to = data.index(b"\0", source + 3, end)
            kind, _, priority = data[to + 1 : to + 4]
            scheduled = data.index(b"\0", to + 4, end)
            validity = data.index(b"\0", scheduled + 1, end)
            reported, _, coding, _, size = data[validity + 1 : validity + 6]
        except ValueError as problem:
            raise FrontError("a submit_sm that ends too soon") from problem
        start = validity + 6
        if start + size > end:
            raise FrontError(f"a submit_sm of {length} octets with {size} of text")
        content = data[start : start + size]
        if start + size < end:
            content = options(data[start + size : end]).get(MESSAGE_PAYLOAD, content)
        self._source = data[service + 3 : source]
        valid = data[scheduled + 1 : validity]
        written = data[source + 3 : to]
        if len(written) in (11, 13):
            self._country = "86" if len(written) == 13 else ""
        return (
            sequence, national(written), content, coding, bool(kind & HEADED), 3 - min(priority, 3),
            self._moments.read(valid), bool(reported & 0x03),
        )  # fmt: skip

    def delivered(self, data: bytes, at: int, length: int) -> tuple[int, bool]:
        if length < HEADER.size:
            raise FrontError(f"a deliver_sm_resp of {length} octets")
        _, _, result, sequence = HEADER.unpack_from(data, at)
        return sequence, result == 0

    def obey(self, command: int, frame: bytes) -> None:
        sequence = int.from_bytes(frame[12:16])
        match command:
            case 0x01 | 0x02 | 0x09 if self.account is None:
                self._bind(command, sequence, frame[HEADER.size :])
            case 0x15:
                self.loop.call_later(self.silence(), self.send, pack(ANSWER | ENQUIRE_LINK, 0, sequence, b""))
            case 0x80000015 | 0x80000000:
                return
            case 0x06:
                self._farewell = sequence
                self.leave()
            case _ if command < ANSWER:
                self.send(pack(GENERIC_NACK, INVALID_COMMAND, sequence, b""))
            case _:
                raise FrontError(f"command {command:#010x} makes no sense now")

    def answered(self, sequence: int, number: int, verdict: int, reason: str) -> bytes:
        if verdict == ACCEPTED:
            return pack(ANSWER | SUBMIT, 0, sequence, b"%016x\0" % number)
        if verdict == DEFERRED:
            result = THROTTLED
        else:
            result = {BAD_ADDRESS: INVALID_RECEIVER, EXPIRED: INVALID_VALIDITY}.get(reason, SUBMIT_FAILED)
        return pack(ANSWER | SUBMIT, result, sequence, b"")

    def report(self, sequence: int, number: int, row: Proof) -> bytes:
        word, name, at = status(row[5]), b"%016x" % number, self._now()
        said = b"id:%b sub:001 dlvrd:%03d submit date:%b done date:%b stat:%b err:000 text:" % (
            name, row[4], at, at, word,
        )  # fmt: skip
        optional = option(RECEIPTED_ID, name + b"\0") + option(MESSAGE_STATE, bytes([STATES.get(word, UNDELIVERABLE)]))
        return pack(DELIVER, 0, sequence, self._delivery(row[6], RECEIPT, 0, said) + optional)

    def said(self, sequence: int, row: ReplyRow, part: Part) -> bytes:
        kind = HEADED if part.total > 1 else 0
        return pack(DELIVER, 0, sequence, self._delivery(row[1], kind, part.coding, part.content))

    def asking(self, sequence: int) -> bytes:
        return pack(ENQUIRE_LINK, 0, sequence, b"")

    def say_bye(self) -> None:
        self.send(pack(ANSWER | UNBIND, 0, self._farewell, b""))
        if self.transport is not None:
            self.transport.close()

    def _delivery(self, address: str, kind: int, coding: int, content: bytes) -> bytes:
        """From a reader to the client, whose number is in our list of senders."""
        ton = INTERNATIONAL if self._country else NUMBERING
        return b"".join((
            b"\0", ton, self._country.encode(), address.encode(), b"\0", NUMBERING, self._source, b"\0",
            bytes([kind, 0, 0]), b"\0\0", bytes([0, 0, coding, 0, len(content)]), content,
        ))  # fmt: skip

    def _bind(self, command: int, sequence: int, body: bytes) -> None:
        words = body.split(b"\0")
        if len(words) < 4:
            raise FrontError("a bind that ends too soon")
        name, shown = words[0].decode("ascii", "replace"), words[1]
        refusal = self.admit(name, Medium.SMS, lambda password: hmac.compare_digest(password.encode(), shown), numbers)
        if refusal:
            result = INVALID_PASSWORD if refusal == WRONG_PASSWORD else BIND_FAILED
            self.send(pack(ANSWER | command, result, sequence, b""))
            if self.transport is not None:
                self.transport.close()
        elif self.account is not None:
            self.receives, self.sends = command != TRANSMITTER, command != RECEIVER
            centre = b"rehearsal\0" + option(INTERFACE_VERSION, bytes([VERSION]))
            self.send(pack(ANSWER | command, 0, sequence, centre))
            self.signed_in(self.account)


def option(tag: int, value: bytes) -> bytes:
    """One optional parameter."""
    return tag.to_bytes(2) + len(value).to_bytes(2) + value


def options(data: bytes) -> dict[int, bytes]:
    """The optional parameters that `data` holds."""
    found, at = {}, 0
    while at + 4 <= len(data):
        tag, size = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        if at + 4 + size > len(data):
            raise FrontError("an optional parameter that ends too soon")
        found[tag] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def pack(command: int, result: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, result, sequence) + body


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage."""
    return Door(Address.parse(settings.listen), lambda: SmppFront(stage, stage.next_number(), settings))
