"""The rehearsed broker, held against Mosquitto's own clients and the Paho library: nobody here wrote those."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Fronts, MqttFront, Script
from tests.harness.parties import program

WITHIN = 60.0
VERSIONS = pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
_GOT = re.compile(r"^up/")


@asynccontextmanager
async def broker(folder: Path, **settings: str) -> AsyncIterator[int]:
    """A rehearsal with a broker; its port."""
    script = Script(fronts=Fronts(mqtt=MqttFront(**settings)))
    async with RehearsalProcess(folder / "rehearsal", script) as process:
        yield process.fronts["mqtt"].port


async def publish(port: int, topic: str, lines: Sequence[str], *options: str) -> int:
    """Publish each line with mosquitto_pub; its exit code."""
    command = program("mosquitto_pub", package="mosquitto-clients")
    process = await asyncio.create_subprocess_exec(
        command, "-p", str(port), "-t", topic, "-l", *options,
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await asyncio.wait_for(process.communicate("".join(f"{line}\n" for line in lines).encode()), WITHIN)
    return process.returncode or 0


class Subscriber:
    """A mosquitto_sub: the messages that it shows, as topic and payload."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._got: list[str] = []

    async def until(self, word: str) -> None:
        """Wait for a word of its own account."""
        async with asyncio.timeout(WITHIN):
            while word not in await self._line():
                continue

    async def messages(self, count: int) -> list[str]:
        async with asyncio.timeout(WITHIN):
            while len(self._got) < count:
                await self._line()
        found, self._got = self._got[:count], self._got[count:]
        return found

    async def leave(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "mosquitto_sub has ended"
        text = line.decode().strip()
        if _GOT.match(text):
            self._got.append(text)
        return text


@asynccontextmanager
async def subscriber(port: int, topic: str, *options: str) -> AsyncIterator[Subscriber]:
    """A mosquitto_sub whose subscription stands."""
    command = program("mosquitto_sub", package="mosquitto-clients")
    flushing = (program("stdbuf", package="coreutils"), "-oL")
    process = await asyncio.create_subprocess_exec(
        *flushing, command, "-p", str(port), "-t", topic, "-v", "-d", *options, stdout=asyncio.subprocess.PIPE
    )
    made = Subscriber(process)
    try:
        await made.until("Subscribed")
        yield made
    finally:
        await made.leave()


@VERSIONS
@pytest.mark.parametrize("qos", ["0", "1"])
async def test_mosquittos_clients_hear_each_other_in_order(tmp_path: Path, version: str, qos: str) -> None:
    lines = [f"{number} mm 雨" for number in range(300)]
    async with broker(tmp_path) as port, subscriber(port, "up/+/rain", "-V", version, "-q", qos) as hearing:
        assert await publish(port, "up/elsewhere/level", ["not for you"], "-V", version, "-q", qos) == 0
        assert await publish(port, "up/s-1/rain", lines, "-V", version, "-q", qos) == 0
        assert await hearing.messages(len(lines)) == [f"up/s-1/rain {line}" for line in lines]


@pytest.mark.parametrize(("publisher", "listener"), [("mqttv311", "mqttv5"), ("mqttv5", "mqttv311")])
async def test_clients_of_either_version_hear_those_of_the_other(tmp_path: Path, publisher: str, listener: str) -> None:
    more = ("-D", "PUBLISH", "content-type", "text/plain") if publisher == "mqttv5" else ()
    async with broker(tmp_path) as port, subscriber(port, "up/#", "-V", listener, "-q", "1") as hearing:
        assert await publish(port, "up/a", ["one", "two"], "-V", publisher, "-q", "1", *more) == 0
        assert await hearing.messages(2) == ["up/a one", "up/a two"]


@pytest.mark.parametrize("options", [("-V", "mqttv311", "-c"), ("-V", "mqttv5", "-c", "-x", "600")], ids=["3.1.1", "5"])
async def test_what_is_published_while_a_kept_session_is_away_comes_when_it_is_back(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    kept = (*options, "-i", "the-house", "-q", "1")
    async with broker(tmp_path) as port:
        async with subscriber(port, "up/#", *kept):
            pass
        assert await publish(port, "up/a", ["one", "two", "three"], "-q", "1") == 0
        async with subscriber(port, "up/never", *kept) as back:
            assert await publish(port, "up/a", ["four"], "-q", "1") == 0
            assert await back.messages(4) == ["up/a one", "up/a two", "up/a three", "up/a four"]


@VERSIONS
async def test_a_session_that_is_not_to_be_kept_ends_with_its_connection(tmp_path: Path, version: str) -> None:
    own = ("-V", version, "-i", "passer-by", "-q", "1")
    async with broker(tmp_path) as port:
        async with subscriber(port, "up/#", *own):
            pass
        assert await publish(port, "up/a", ["lost"], "-q", "1") == 0
        async with subscriber(port, "up/#", *own) as again:
            assert await publish(port, "up/a", ["heard"], "-q", "1") == 0
            assert await again.messages(1) == ["up/a heard"]


async def test_a_group_shares_its_messages_and_each_comes_to_one_of_it(tmp_path: Path) -> None:
    shared, lines = ("$share/house/up/#", "-V", "mqttv5", "-q", "1"), [str(number) for number in range(40)]
    async with broker(tmp_path) as port, subscriber(port, *shared) as one, subscriber(port, *shared) as other:
        assert await publish(port, "up/a", lines, "-V", "mqttv5", "-q", "1") == 0
        half = len(lines) // 2
        got = [*await one.messages(half), *await other.messages(half)]
        assert sorted(got) == sorted(f"up/a {line}" for line in lines)


async def test_what_one_of_a_group_did_not_confirm_goes_to_another_when_its_session_ends(tmp_path: Path) -> None:
    async with broker(tmp_path) as port:
        async with aiomqtt.Client(
            "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, identifier="mute", timeout=WITHIN
        ) as mute:
            mute._client.manual_ack_set(True)
            await mute.subscribe("$share/house/up/#", qos=1)
            assert await publish(port, "up/a", ["one", "two"], "-q", "1") == 0
            await anext(mute.messages)
            async with subscriber(port, "$share/house/up/#", "-V", "mqttv5", "-q", "1", "-i", "able") as able:
                await mute.__aexit__(None, None, None)
                assert sorted(await able.messages(2)) == ["up/a one", "up/a two"]


@VERSIONS
async def test_who_does_not_know_the_password_is_turned_away(tmp_path: Path, version: str) -> None:
    async with broker(tmp_path, user="gauge", password="right") as port:
        own = ("-V", version, "-u", "gauge", "-q", "1", "-P")
        assert await publish(port, "up/a", ["one"], *own, "right") == 0
        assert await publish(port, "up/a", ["one"], *own, "wrong") != 0
        assert await publish(port, "up/a", ["one"], "-V", version, "-q", "1") != 0


async def test_what_was_not_confirmed_comes_again_and_is_marked_so(tmp_path: Path) -> None:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval, properties.ReceiveMaximum = 600, 2

    def listener() -> aiomqtt.Client:
        made = aiomqtt.Client(
            "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, identifier="house", clean_start=False,
            properties=properties, timeout=WITHIN,
        )  # fmt: skip
        made._client.manual_ack_set(True)
        return made

    async with broker(tmp_path) as port:
        async with listener() as first:
            await first.subscribe("up/#", qos=1)
            assert await publish(port, "up/a", ["one", "two", "three"], "-q", "1") == 0
            held = [await anext(first.messages) for _ in range(2)]
            first._client.ack(held[0].mid, 1)
            third = await anext(first.messages)
        async with listener() as second:
            again = [await anext(second.messages) for _ in range(2)]
    assert [one.payload for one in (*held, third)] == [b"one", b"two", b"three"], "two at a time, as asked"
    assert [(one.payload, one.mid) for one in again] == [(b"two", held[1].mid), (b"three", third.mid)]


@VERSIONS
async def test_another_connection_of_the_same_name_takes_the_session_over(tmp_path: Path, version: str) -> None:
    own = ("-V", version, "-i", "the-house", "-q", "1")
    async with broker(tmp_path) as port, subscriber(port, "up/#", *own) as first:
        async with subscriber(port, "up/#", *own) as second:
            assert await publish(port, "up/a", ["one"], "-q", "1") == 0
            assert await second.messages(1) == ["up/a one"]
        await first.leave()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\xff\x7f",  # a length of five octets
        b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x00\x00",  # ends too early
        b"\x82\x03\x00\x01\x00",  # subscribes before it has connected
        b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03abc\x32\x05\x00\x01#\x00\x01",  # publishes to a wildcard
        b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03abc\x34\x05\x00\x01a\x00\x01",  # QoS 2
    ],
)
async def test_who_speaks_nonsense_is_cut_off_and_the_others_stay(tmp_path: Path, said: bytes) -> None:
    async with broker(tmp_path) as port, subscriber(port, "up/#", "-q", "1") as hearing:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said + b"\0" * 20)
        async with asyncio.timeout(WITHIN):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1000)
        writer.close()
        assert await publish(port, "up/a", ["one"], "-q", "1") == 0
        assert await hearing.messages(1) == ["up/a one"]
