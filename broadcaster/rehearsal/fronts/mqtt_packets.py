"""Packets of MQTT 3.1.1 and 5.0 (OASIS Standards, 2014 and 2019) as a broker reads and writes them. Written from the
specifications, apart from the adapter and its library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from broadcaster.rehearsal.fronts.front import FrontError

V311, V5 = 4, 5
"""Levels of the protocol."""

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

SESSION_EXPIRY, ASSIGNED_CLIENT, RECEIVE_MAXIMUM, TOPIC_ALIAS = 0x11, 0x12, 0x21, 0x23
MAXIMUM_QOS, RETAIN_AVAILABLE, MAXIMUM_PACKET, SUBSCRIPTION_IDS = 0x24, 0x25, 0x27, 0x29
"""Identifiers of properties (MQTT 5, 2.2.2.2)."""

LARGEST = 256 * 1024
"""Octets of a packet."""

FOR_GOOD = 0xFFFFFFFF
"""A session that never expires."""

_WIDTHS = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_STRINGS = frozenset((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F))
_VARYING, _PAIR = 0x0B, 0x26


class Packet(NamedTuple):
    """One packet without its fixed header."""

    kind: int
    flags: int
    body: bytes


class Properties(NamedTuple):
    """Those that are numbers, by their identifiers, and all of them as they came."""

    numbers: Mapping[int, int]
    octets: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client wants: `expiry` of its session and `keepalive` in seconds, `window` messages unanswered."""

    version: int
    client: str
    clean: bool
    keepalive: int
    expiry: int
    window: int
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: `properties` are those of MQTT 5 as they came."""

    topic: str
    payload: bytes
    qos: int
    properties: bytes = b""


def taken_off(buffer: bytearray) -> Packet | None:
    """The first packet, taken off `buffer`; None while it is not complete."""
    size = start = 0
    for place in range(4):
        if len(buffer) < place + 2:
            return None
        size |= (buffer[place + 1] & 0x7F) << 7 * place
        if buffer[place + 1] < 0x80:
            start = place + 2
            break
    else:
        raise FrontError("a length of more than four octets")
    if size > LARGEST:
        raise FrontError(f"a packet of {size} octets")
    if len(buffer) < start + size:
        return None
    found = Packet(buffer[0] >> 4, buffer[0] & 0x0F, bytes(buffer[start : start + size]))
    del buffer[: start + size]
    return found


class Fields:
    """Reads a packet's body from its beginning; `FrontError` where it is not what it should be."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    @property
    def more(self) -> bool:
        return self._place < len(self._body)

    def octets(self, count: int) -> bytes:
        found = self._body[self._place : self._place + count]
        if len(found) < count:
            raise FrontError("a packet that ends too early")
        self._place += count
        return found

    def number(self, octets: int) -> int:
        return int.from_bytes(self.octets(octets), "big")

    def binary(self) -> bytes:
        return self.octets(self.number(2))

    def text(self) -> str:
        try:
            found = self.binary().decode()
        except UnicodeDecodeError as problem:
            raise FrontError("a text that is not UTF-8") from problem
        if "\0" in found:
            raise FrontError("a text with a null")
        return found

    def rest(self) -> bytes:
        return self.octets(len(self._body) - self._place)

    def varying(self) -> int:
        """A variable byte integer (MQTT 5, 1.5.5)."""
        found = 0
        for place in range(4):
            octet = self.number(1)
            found |= (octet & 0x7F) << 7 * place
            if octet < 0x80:
                return found
        raise FrontError("a number of more than four octets")

    def properties(self, version: int) -> Properties:
        """Those that stand here; none before MQTT 5."""
        if version < V5:
            return Properties({}, b"")
        octets = self.octets(self.varying())
        fields, numbers = Fields(octets), dict[int, int]()
        while fields.more:
            kind = fields.varying()
            if kind in _WIDTHS:
                numbers[kind] = fields.number(_WIDTHS[kind])
            elif kind == _VARYING:
                numbers[kind] = fields.varying()
            elif kind in _STRINGS:
                fields.binary()
            elif kind == _PAIR:
                fields.text(), fields.text()
            else:
                raise FrontError(f"an unknown property {kind}")
        return Properties(numbers, octets)


def connect(body: bytes) -> Connect | None:
    """What a CONNECT says; None when it is of another version. A will is read and not kept."""
    fields = Fields(body)
    if fields.text() != "MQTT":
        raise FrontError("that is not MQTT")
    version = fields.number(1)
    if version not in (V311, V5):
        return None
    flags, keepalive = fields.number(1), fields.number(2)
    if flags & 0x01:
        raise FrontError("the reserved flag of CONNECT is set")
    asked = fields.properties(version).numbers
    client, clean = fields.text(), bool(flags & 0x02)
    if flags & 0x04:
        fields.properties(version)
        fields.text(), fields.binary()
    user = fields.text() if flags & 0x80 else ""
    password = fields.binary().decode(errors="replace") if flags & 0x40 else ""
    expiry = asked.get(SESSION_EXPIRY, 0) if version == V5 else (0 if clean else FOR_GOOD)
    window = asked.get(RECEIVE_MAXIMUM, 0xFFFF) if version == V5 else 0xFFFF
    return Connect(version, client, clean, keepalive, expiry, window or 1, user, password)


def publish(packet: Packet, version: int) -> tuple[Message, int]:
    """A PUBLISH, and its number, 0 without a QoS. Topic aliases were not offered."""
    fields, qos = Fields(packet.body), packet.flags >> 1 & 0x03
    topic = fields.text()
    number = fields.number(2) if qos else 0
    properties = fields.properties(version)
    if not topic or "+" in topic or "#" in topic or TOPIC_ALIAS in properties.numbers:
        raise FrontError("that is no topic to publish to")
    if qos and not number:
        raise FrontError("a message with the number 0")
    return Message(topic, fields.rest(), qos, properties.octets), number


def subscribe(packet: Packet, version: int) -> tuple[int, list[tuple[str, int]]]:
    """The number of a SUBSCRIBE, and its filters with the QoS that each asks for."""
    fields = _numbered(packet)
    number = fields.number(2)
    fields.properties(version)
    found = []
    while fields.more:
        found.append((fields.text(), fields.number(1) & 0x03))
    if not number or not found:
        raise FrontError("a subscription to nothing")
    return number, found


def unsubscribe(packet: Packet, version: int) -> tuple[int, list[str]]:
    """The number of an UNSUBSCRIBE, and its filters."""
    fields = _numbered(packet)
    number = fields.number(2)
    fields.properties(version)
    found = []
    while fields.more:
        found.append(fields.text())
    return number, found


def written(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A whole packet."""
    return bytes((kind << 4 | flags,)) + varying(len(body)) + body


def published(message: Message, qos: int, number: int, version: int, *, again: bool) -> bytes:
    """A PUBLISH to a subscriber."""
    body = _text(message.topic) + (number.to_bytes(2, "big") if qos else b"")
    if version == V5:
        body += varying(len(message.properties)) + message.properties
    return written(PUBLISH, body + message.payload, again << 3 | qos << 1)


def connected(version: int, code: int, *, present: bool = False, assigned: str = "") -> bytes:
    """A CONNACK; where it is consent it tells a client of MQTT 5 what is not to be had here."""
    body = bytes((present, code))
    if version == V5:
        limits = b"" if code else bytes((MAXIMUM_QOS, 1, RETAIN_AVAILABLE, 0, SUBSCRIPTION_IDS, 0, MAXIMUM_PACKET))
        limits += b"" if code else LARGEST.to_bytes(4, "big")
        limits += bytes((ASSIGNED_CLIENT,)) + _text(assigned) if assigned else b""
        body += varying(len(limits)) + limits
    return written(CONNACK, body)


def acknowledged(number: int, version: int, code: int = 0) -> bytes:
    """A PUBACK."""
    return written(PUBACK, number.to_bytes(2, "big") + (bytes((code,)) if code and version == V5 else b""))


def granted(kind: int, number: int, version: int, codes: bytes) -> bytes:
    """A SUBACK or UNSUBACK; that of MQTT 3.1.1 has no codes for the latter."""
    properties = b"\0" if version == V5 else b""
    return written(kind, number.to_bytes(2, "big") + properties + codes)


def varying(value: int) -> bytes:
    """A variable byte integer."""
    found = bytearray()
    while True:
        value, octet = value >> 7, value & 0x7F
        found.append(octet | (0x80 if value else 0))
        if not value:
            return bytes(found)


def _numbered(packet: Packet) -> Fields:
    if packet.flags != 0b0010:
        raise FrontError("flags that must not be")
    return Fields(packet.body)


def _text(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(2, "big") + octets
