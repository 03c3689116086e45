"""The adapter: a persistent session with a broker; a message is acknowledged when its readings are stored."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import aiomqtt
import msgspec
from msgspec import Meta
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.door import read_options
from adapters.mqtt.mapping import MappingError, TopicOptions, readings
from adapters.mqtt.session import PLAIN_PORT, QUIET, SECURE_PORT
from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import Journal
from broadcaster.sensing import Reading, Sensor, SensorSettings, Sink

LARGEST = 256 * 1024
"""Octets of a message that is read; what is larger is passed over, and acknowledged."""

MOST_HELD = 2000
"""Messages that are stored together."""

_GATHER = 0.02  # seconds that a first message waits for others


class MqttOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`host` and `port` of the broker; `version` of the protocol. `client_id` names the session that the broker keeps
    for us for `session` seconds while we are away (version 5; with 3.1.1 the broker decides): it must be ours alone.
    `share`: the name of a group that shares a subscription with other subscribers. `tls`, with the broker's `ca`, and
    our `certificate` and `key` (paths of PEM files) where it asks for them."""

    host: Annotated[str, Meta(min_length=1)]
    client_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{1,64}$", description="1 到 64 位字母、数字、_、. 和 -")]
    topics: Annotated[tuple[TopicOptions, ...], Meta(min_length=1, max_length=100)]
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    version: Literal["3.1.1", "5"] = "5"
    username: str | None = None
    password: str | None = None
    qos: Literal[1, 2] = 1
    share: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{0,64}$", description="至多 64 位字母、数字、_、. 和 -")] = ""
    session: Annotated[int, Meta(ge=60, le=0xFFFFFFFE)] = 7 * 86_400
    keepalive: Annotated[int, Meta(ge=5, le=3600)] = 30
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


class MqttSensor:
    """One session with one broker."""

    def __init__(self, settings: SensorSettings, journal: Journal) -> None:
        self._options = read_options(settings, MqttOptions, "host、client_id、topics")
        for place, topic in enumerate(self._options.topics):
            if topic.fault:
                raise SettingsError(
                    f"sensors[{settings.name}].topics[{place}]：{topic.fault}。", remedy="请改正后重试。"
                )
        if self._options.share and self._options.version != "5":
            raise SettingsError(
                f"sensors[{settings.name}]：共享订阅要用 MQTT 5。", remedy='请写 version = "5"，或去掉 share。'
            )
        self._tls = _context(settings.name, self._options) if self._options.tls else None
        self._journal = journal

    async def run(self, sink: Sink) -> None:
        options = self._options
        try:
            client = self._client()
            client._client.manual_ack_set(True)  # else the library acknowledges on arrival, before anything is stored
            async with client:
                for topic in options.topics:
                    name = f"$share/{options.share}/{topic.topic}" if options.share else topic.topic
                    granted = await client.subscribe(name, qos=options.qos)
                    self._require_granted(topic.topic, granted)
                self._journal.note("→", f"subscribed to {len(options.topics)} topics")
                await self._receive(client, sink)
        except aiomqtt.MqttError as error:
            raise UnavailableError(
                f"与 MQTT 代理 {options.host}:{self._port} 的连接断开：{str(error)[:200]}。",
                remedy="系统会自动重连；请检查地址、账号、证书和代理是否在运行。",
            ) from error

    def _client(self) -> aiomqtt.Client:
        options = self._options
        five = options.version == "5"
        properties = Properties(PacketTypes.CONNECT) if five else None  # type: ignore[no-untyped-call]
        if properties is not None:
            properties.SessionExpiryInterval = options.session
            properties.ReceiveMaximum = MOST_HELD
            properties.MaximumPacketSize = 4 * LARGEST
        kept: dict[str, Any] = {"clean_start": False} if five else {"clean_session": False}
        return aiomqtt.Client(
            options.host,
            self._port,
            username=options.username,
            password=options.password,
            identifier=options.client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            properties=properties,
            keepalive=options.keepalive,
            tls_context=self._tls,
            logger=QUIET,
            timeout=15,
            **kept,
        )

    @property
    def _port(self) -> int:
        return self._options.port or (SECURE_PORT if self._options.tls else PLAIN_PORT)

    def _require_granted(self, topic: str, granted: Sequence[object]) -> None:
        for one in granted:
            code = one if isinstance(one, int) else getattr(one, "value", 0)
            if code >= 128:
                raise UnavailableError(
                    f"MQTT 代理不允许订阅 {topic}（原因码 {code}）。", remedy="请在代理上给这个账号订阅的权限。"
                )

    async def _receive(self, client: aiomqtt.Client, sink: Sink) -> None:
        """Store what comes, as much at a time as has come, and acknowledge it in the order in which it came."""
        messages = client.messages
        while True:
            held = [await anext(messages)]
            await asyncio.sleep(_GATHER)
            while len(messages) and len(held) < MOST_HELD:
                held.append(await anext(messages))
            found = [reading for message in held for reading in self._read(message)]
            if found:
                await sink.keep(found)
            for message in held:
                client._client.ack(message.mid, message.qos)
            self._journal.note("←", f"{len(held)} messages, {len(found)} readings")

    def _read(self, message: aiomqtt.Message) -> list[Reading]:
        """Its readings; what cannot be read is noted and, as it would never be better, acknowledged."""
        payload = message.payload
        topic = str(message.topic)
        if not isinstance(payload, bytes | bytearray) or len(payload) > LARGEST:
            self._journal.note("!", "a message that is too large")
            return []
        fault = "no topic of ours"
        for options in self._options.topics:
            if not message.topic.matches(options.topic):
                continue
            try:
                return list(readings(options, topic, bytes(payload), datetime.now(UTC)))
            except MappingError as error:
                fault = str(error)
        self._journal.note("!", f"a message was not understood: {fault}")
        return []


def _context(name: str, options: MqttOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca)
        if options.certificate:
            context.load_cert_chain(options.certificate, options.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"sensors[{name}]：证书或密钥无法使用：{error}。", remedy="ca、certificate、key 应为 PEM 文件的路径。"
        ) from error
    return context


class MqttPlugin:
    """What the entry point names."""

    kind = "mqtt"

    def sensor(self, settings: SensorSettings, journal: Journal) -> Sensor:
        return MqttSensor(settings, journal)


plugin = MqttPlugin()
