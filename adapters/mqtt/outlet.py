"""One message to a subscriber's broker, with QoS 1: told is what the broker has confirmed."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.fetching.session import SUBSCRIBER_PERMIT, classified
from adapters.mqtt.reach import connect
from adapters.mqtt.refusal import REFUSED, TOO_LARGE, refusal
from adapters.mqtt.session import QUIET
from broadcaster.outlets import Hook, NotTold, Parcel, Told, topic

SECONDS = 15.0
"""For connecting, and again for the broker's confirmation."""

AT_ONCE = 64
"""Connections that are being made at a time. Their threads are the outlet's own: the process has few for everybody, and
brokers that say nothing would hold them all."""

_HEADS = 9  # octets of a PUBLISH besides topic, properties and payload, at the most (MQTT 5, 3.3)


class MqttOutlet:
    """Tells brokers. Each message has a connection of its own: alerts are few, and one broker's trouble is nobody
    else's."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, "mqtt")

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:  # noqa: ARG002 - nothing is signed
        """As `Outlet.tell`. Waits for the broker's PUBACK; under MQTT 5 that may be a refusal."""
        try:
            made = await asyncio.get_running_loop().run_in_executor(self._threads, connect, hook, self._seconds)
        except TimeoutError:
            return NotTold(f"{self._seconds:g} 秒内没有连上")
        except (OSError, ValueError) as problem:
            return NotTold(classified(problem, SUBSCRIBER_PERMIT).reason)
        try:
            return await _Conversation(hook, made, self._seconds).publish(parcel)
        finally:
            made.close()

    async def close(self) -> None:
        """Let go of the threads; no connection stays open."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Conversation:
    """One connection, one message. The library takes any PUBACK for consent, waits for one when the connection has long
    ended, and sends what the broker said is too large: what it hears is heard here as well."""

    def __init__(self, hook: Hook, made: socket.socket, seconds: float) -> None:
        self._hook = hook
        self._five = hook.manner.version == "5"
        self._topics = "{" in hook.manner.topic
        self._sent = False
        self._refused: list[Any] = []
        self._largest: int | None = None
        self._client = aiomqtt.Client(
            "broker",
            username=hook.manner.login or None,
            password=hook.password or None,
            protocol=aiomqtt.ProtocolVersion.V5 if self._five else aiomqtt.ProtocolVersion.V311,
            logger=QUIET,
            timeout=seconds,
        )
        library: Any = self._client._client
        # The library would look the name up again, and keep the socket of a handshake that failed.
        vars(library)["_create_socket"] = lambda: made
        self._confirmed, library.on_publish = library.on_publish, self._on_publish
        self._greeted, library.on_connect = library.on_connect, self._on_connect

    async def publish(self, parcel: Parcel) -> Told | NotTold:
        """Told once the broker has confirmed it."""
        where = topic(self._hook.manner.topic, parcel.labels)
        properties = _properties(parcel) if self._five else None
        answer: Told | NotTold | None = None  # it stands, however the goodbye goes
        try:
            async with self._client as client:
                if self._largest is not None and _size(where, properties, parcel.body) > self._largest:
                    return self._refusal(TOO_LARGE)
                retain, self._sent = self._hook.manner.retain, True
                sending = client.publish(where, parcel.body, qos=1, retain=retain, properties=properties)
                await self._unless_it_ends(asyncio.ensure_future(sending))
                answer = self._refusal(self._refused[0]) if self._refused else Told()
        except aiomqtt.MqttError as problem:
            return answer or self._fault(self._ended() or problem)
        finally:
            self._ended()
        return answer

    async def _unless_it_ends(self, sending: asyncio.Future[None]) -> None:
        """Wait for the confirmation, or the end of the connection."""
        try:
            await asyncio.wait({sending, self._client._disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise self._ended() or aiomqtt.MqttError("Disconnected")
            await sending
        finally:
            sending.cancel()

    def _fault(self, problem: BaseException) -> NotTold:
        """In words, without an address or a name. A broker may end the connection over a message that it cannot take:
        Mosquitto does over one that is larger than its `message_size_limit`."""
        code = getattr(problem, "rc", None)
        if getattr(code, "value", 0) > REFUSED:  # 0x80 is what the library makes of a connection that just ended
            return self._refusal(code)
        if code is None:
            return NotTold("MQTT 代理没有答复，或连接断了")
        if self._sent:
            return NotTold("送出这条消息时 MQTT 代理断开了连接", unfit=True)
        return NotTold("MQTT 代理的连接断了")

    def _refusal(self, code: Any) -> NotTold:
        return refusal(code, sent=self._sent, topics=self._topics)

    def _ended(self) -> BaseException | None:
        """Why the connection ended; None while it lasts. The loop complains where nobody asks."""
        ended = self._client._disconnected
        return ended.exception() if ended.done() and not ended.cancelled() else None

    def _on_publish(self, library: Any, data: Any, number: int, code: Any, properties: Any) -> None:
        if getattr(code, "value", 0) >= REFUSED:
            self._refused.append(code)
        self._confirmed(library, data, number, code, properties)

    def _on_connect(self, library: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        self._largest = getattr(properties, "MaximumPacketSize", None)
        self._greeted(library, data, flags, code, properties)


def _properties(parcel: Parcel) -> Properties:
    made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    made.ContentType = parcel.content_type
    made.UserProperty = ("id", parcel.id)
    return made


def _size(where: str, properties: Properties | None, body: bytes) -> int:
    packed = properties.pack() if properties is not None else b""  # type: ignore[no-untyped-call]
    return _HEADS + len(where.encode()) + len(packed) + len(body)
