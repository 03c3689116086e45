"""One message to a subscriber's broker, with QoS 1: told is what the broker has confirmed."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.fetching.door import PrivateAddressError, is_public
from adapters.fetching.session import SUBSCRIBER_PERMIT, classified
from adapters.mqtt.session import PLAIN_PORT, QUIET, SECURE_PORT
from broadcaster.outlets import Hook, NotTold, Parcel, Told, topic
from broadcaster.trust import trusting

SECONDS = 15.0
"""For connecting, and again for the broker's confirmation."""

_REFUSED = 0x80
"""From here on a reason code is a refusal (MQTT 5, 2.4); below it, also where nobody has subscribed, it is consent."""


class MqttOutlet:
    """Tells brokers. Each message has a connection of its own: alerts are few, and one broker's trouble is nobody
    else's."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:  # noqa: ARG002 - nothing is signed
        """As `Outlet.tell`. Waits for the broker's PUBACK; under MQTT 5 that may be a refusal."""
        try:
            made = await asyncio.to_thread(connect, hook, self._seconds)
        except TimeoutError:
            return NotTold(f"{self._seconds:g} 秒内没有连上")
        except (OSError, ValueError) as problem:
            return NotTold(classified(problem, SUBSCRIBER_PERMIT).reason)
        try:
            return await self._publish(hook, parcel, made)
        except aiomqtt.MqttError as problem:
            return NotTold(_reason(problem))
        finally:
            made.close()

    async def close(self) -> None:
        """Nothing stays open."""

    async def _publish(self, hook: Hook, parcel: Parcel, made: socket.socket) -> Told | NotTold:
        five = hook.manner.version == "5"
        client = aiomqtt.Client(
            "broker",
            username=hook.manner.login or None,
            password=hook.password or None,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            logger=QUIET,
            timeout=self._seconds,
        )
        # The library would look the name up again, and keep the socket of a handshake that failed.
        vars(client._client)["_create_socket"] = lambda: made
        refused: list[Any] = []
        heard: Any = client._client.on_publish

        def confirmed(library: Any, data: Any, number: int, code: Any, properties: Any) -> None:
            """The library takes any PUBACK for consent."""
            if getattr(code, "value", 0) >= _REFUSED:
                refused.append(code)
            if heard is not None:
                heard(library, data, number, code, properties)

        client._client.on_publish = confirmed
        try:
            async with client:
                await client.publish(
                    topic(hook.manner.topic, parcel.labels),
                    parcel.body,
                    qos=1,
                    retain=hook.manner.retain,
                    properties=_properties(parcel) if five else None,
                )
        except aiomqtt.MqttError:
            if client._disconnected.done():
                client._disconnected.exception()  # or the loop complains that nobody has asked
            raise
        return NotTold(f"代理拒绝发布：{refused[0]}") if refused else Told()


def connect(hook: Hook, seconds: float) -> socket.socket:
    """A connection to the broker, encrypted for mqtts; `OSError` where there is none. Blocks."""
    parts = urlsplit(hook.url)
    secure, host = parts.scheme == "mqtts", parts.hostname or ""
    trust = trusting(hook.manner.authority) if secure else None
    port = parts.port or (SECURE_PORT if secure else PLAIN_PORT)
    made = _reach(_places(host, port, private=hook.private), seconds)
    try:
        return trust.wrap_socket(made, server_hostname=host) if trust is not None else made
    except BaseException:
        made.close()
        raise


def _places(host: str, port: int, *, private: bool) -> list[tuple[str, int]]:
    """Where the name leads: what is looked at is what is connected to."""
    found = dict.fromkeys(str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    allowed = [(one, port) for one in found if private or is_public(one)]
    if not allowed:
        raise PrivateAddressError(host)
    return allowed


def _reach(places: list[tuple[str, int]], seconds: float) -> socket.socket:
    for place in places[:-1]:
        with suppress(OSError):
            return socket.create_connection(place, timeout=seconds)
    return socket.create_connection(places[-1], timeout=seconds)


def _properties(parcel: Parcel) -> Properties:
    made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    made.ContentType = parcel.content_type
    made.UserProperty = ("id", parcel.id)
    return made


def _reason(problem: aiomqtt.MqttError) -> str:
    """In words, without an address or a name."""
    code = getattr(problem, "rc", None)
    return f"代理没有收下（{code}）" if code is not None else f"连接不上代理，或连接断了（{str(problem)[:100]}）"
