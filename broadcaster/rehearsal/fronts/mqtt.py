"""The front of MQTT: a broker for instruments and whoever listens to them, 3.1.1 and 5.0, with QoS 0 and 1."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, ClassVar

from broadcaster.rehearsal.fronts import mqtt_packets as packets
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.front import Front, FrontError
from broadcaster.rehearsal.fronts.mqtt_packets import V5, Connect, Fields, Message, Packet
from broadcaster.rehearsal.fronts.mqtt_sessions import Broker, Session, is_filter
from broadcaster.rehearsal.script import MqttFront as Settings
from channels.line.settings import Address
from channels.line.wire import AnswerRow

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from broadcaster.rehearsal.stage import Stage

NO_SUBSCRIBER, NOTHING_THERE = 0x10, 0x11
PROTOCOL_ERROR, WRONG_VERSION, BAD_CLIENT, BAD_LOGIN = 0x82, 0x84, 0x85, 0x86
DISPLACED, BAD_FILTER, TOO_SURE = 0x8E, 0x8F, 0x9B
"""Reason codes (MQTT 5, 2.4); TOO_SURE: QoS 2."""

_OLD = {WRONG_VERSION: 1, BAD_CLIENT: 2, BAD_LOGIN: 4}
"""The same in a CONNACK of MQTT 3.1.1; a filter is refused by FAILURE."""

FAILURE = 0x80


class MqttFront(Front[None]):
    """One connection of a client."""

    protocol: ClassVar[str] = "mqtt"

    def __init__(self, stage: Stage, number: int, broker: Broker, settings: Settings) -> None:
        super().__init__(stage, number)
        self._broker = broker
        self._settings = settings
        self._buffer = bytearray()
        self._session: Session | None = None
        self._version = V5
        self._expiry = 0
        self._alive: TimerHandle | None = None
        self.window = 1

    def hear(self, data: bytes) -> None:
        self._buffer += data
        if self._session is None and self._buffer[0] != packets.CONNECT << 4:
            raise FrontError("that is no CONNECT")
        while not self.mute and (packet := packets.taken_off(self._buffer)) is not None:
            if self._session is None:
                self._greet(packet)
            else:
                self._obey(packet, self._session)

    def bring(self, message: Message, qos: int, number: int, *, again: bool) -> None:
        self.send(packets.published(message, qos, number, self._version, again=again))

    def displace(self) -> None:
        self._dismiss(DISPLACED, "displaced")

    def go_on(self) -> None:
        if self._session is not None:
            self._session.push()

    def complain(self, problem: FrontError) -> None:  # noqa: ARG002 (a code says it)
        """To who has not connected yet nothing is said."""
        if self._session is not None and self._version == V5:
            self.send(packets.written(packets.DISCONNECT, bytes((PROTOCOL_ERROR, 0))))

    def answer(self, frame: None, answers: list[AnswerRow]) -> None:
        """Nobody sends messages to people here."""

    def say_bye(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, problem: Exception | None) -> None:
        if self._alive is not None:
            self._alive.cancel()
        session, self._session = self._session, None
        super().connection_lost(problem)
        if session is not None:
            self._broker.leave(session, self, self._expiry)

    def _greet(self, packet: Packet) -> None:
        """A client's first words."""
        wanted = packets.connect(packet.body)
        if wanted is None:
            self._version = packets.V311
            self._turn_away(WRONG_VERSION)
            return
        self._version, self._expiry, self.window = wanted.version, wanted.expiry, wanted.window
        if not self._knows(wanted):
            self._turn_away(BAD_LOGIN)
        elif not wanted.client and not wanted.clean and self._version < V5:
            self._turn_away(BAD_CLIENT)
        else:
            self._let_in(wanted)

    def _let_in(self, wanted: Connect) -> None:
        assigned = "" if wanted.client else f"rehearsal-{self.number}"
        named = Connect(
            wanted.version, wanted.client or assigned, wanted.clean, wanted.keepalive, wanted.expiry, wanted.window,
            wanted.user, wanted.password,
        )  # fmt: skip
        self._session, present = self._broker.enter(named, self)
        self.send(packets.connected(self._version, 0, present=present, assigned=assigned))
        if wanted.keepalive:
            self._watch(1.5 * wanted.keepalive)
        self._session.push()

    def _knows(self, wanted: Connect) -> bool:
        settings = self._settings
        if not settings.user:
            return True
        same = hmac.compare_digest(wanted.password.encode(), settings.password.encode())
        return same and wanted.user == settings.user

    def _obey(self, packet: Packet, session: Session) -> None:
        match packet.kind:
            case packets.PUBLISH:
                self._publish(packet)
            case packets.PUBACK:
                session.confirmed(Fields(packet.body).number(2))
            case packets.SUBSCRIBE:
                self._subscribe(packet, session)
            case packets.UNSUBSCRIBE:
                number, names = packets.unsubscribe(packet, self._version)
                known = [session.filters.pop(name, None) is not None for name in names]
                codes = bytes(0 if one else NOTHING_THERE for one in known) if self._version == V5 else b""
                self.send(packets.granted(packets.UNSUBACK, number, self._version, codes))
            case packets.PINGREQ:
                self.send(packets.written(packets.PINGRESP, b""))
            case packets.DISCONNECT:
                self._part(packet)
            case _:
                raise FrontError(f"a packet {packet.kind} that is not for a broker")

    def _publish(self, packet: Packet) -> None:
        if packet.flags >> 1 & 0x03 > 1:
            self._dismiss(TOO_SURE, "QoS 2")
            return
        message, number = packets.publish(packet, self._version)
        reached = self._broker.publish(message)
        if number:
            self.send(packets.acknowledged(number, self._version, 0 if reached else NO_SUBSCRIBER))

    def _subscribe(self, packet: Packet, session: Session) -> None:
        number, wanted = packets.subscribe(packet, self._version)
        five, codes = self._version == V5, bytearray()
        for name, qos in wanted:
            if is_filter(name, shares=five):
                session.filters[name] = min(qos, 1)
                codes.append(min(qos, 1))
            else:
                codes.append(BAD_FILTER if five else FAILURE)
        self.send(packets.granted(packets.SUBACK, number, self._version, bytes(codes)))

    def _part(self, packet: Packet) -> None:
        """The client goes, and may say now how long its session is to be kept."""
        fields = Fields(packet.body)
        if self._version == V5 and len(packet.body) > 1:
            fields.number(1)
            self._expiry = fields.properties(V5).numbers.get(packets.SESSION_EXPIRY, self._expiry)
        self.leave()

    def _turn_away(self, code: int) -> None:
        self.send(packets.connected(self._version, code if self._version == V5 else _OLD[code]))
        self.leave()

    def _dismiss(self, code: int, reason: str) -> None:
        if self._version == V5:
            self.send(packets.written(packets.DISCONNECT, bytes((code, 0))))
        self.cut(reason)

    def _watch(self, patience: float) -> None:
        """Cut a client of which nothing has been heard for so many seconds (MQTT 5, 3.1.2.10)."""
        left = self._came + patience - self.loop.time()
        if left <= 0:
            self.cut("no sign of life")
        else:
            self._alive = self.loop.call_later(left, self._watch, patience)


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage."""
    broker = Broker()
    return Door(Address.parse(settings.listen), lambda: MqttFront(stage, stage.next_number(), broker, settings), broker)
