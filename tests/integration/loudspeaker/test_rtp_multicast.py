"""RTP as others hear it: ffmpeg, and a socket that keeps the packets."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Envelope,
    GatewaySettings,
    Medium,
    Message,
    Outcome,
    Rejected,
    Sent,
)
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.loudspeaker.rtp_multicast import plugin
from channels.loudspeaker.rtp_multicast.driver import RtpDriver
from channels.speech.track import Line, load
from tests.harness.ports import free_port
from tests.harness.radio import Ear, chirp, likeness, pcm, received
from tests.harness.waiting import wait_until


def driver(**options: object) -> RtpDriver:
    given = {"interface": "127.0.0.1", "finish_within": 0, **options}
    made = plugin.build(
        GatewaySettings("rtp", Medium.LOUDSPEAKER, "rtp_multicast", rate=10, options=given), MemoryJournal()
    )
    assert isinstance(made, RtpDriver)
    return made


def envelope(address: str, audio: Audio, alert: int = 1, urgency: int = 0) -> Envelope:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return Envelope(DeliveryKey(alert, 1, 1), address, Message("x", audio=audio), urgency, expires)


async def send(made: RtpDriver, *envelopes: Envelope) -> list[Outcome]:
    return [outcome async for outcome in made.send(envelopes)]


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return chirp(tmp_path_factory.mktemp("chirp"))


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    made = Ear()
    yield made
    made.close()


@pytest.mark.parametrize(("codec", "payload_type"), [("pcma", 8), ("pcmu", 0)])
async def test_ffmpeg_hears_what_was_meant(codec: str, payload_type: int, audio: Audio, tmp_path: Path) -> None:
    made, port = driver(codec=codec), free_port()
    listener = await received(tmp_path, port, payload_type, 2.0)
    await made.open(MemoryInbox())
    number = 1
    sending = asyncio.create_task(asyncio.sleep(0))
    while listener.returncode is None and number < 20:  # until it listens; a little of the first may be lost
        if sending.done():
            assert isinstance((await send(made, envelope(f"127.0.0.1:{port}", audio, number)))[0], Accepted)
            sending = asyncio.create_task(asyncio.sleep(3.2))
            number += 1
        await asyncio.wait([sending, asyncio.ensure_future(listener.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert listener.stdout is not None
    raw = await listener.stdout.read()
    await made.close()
    heard = list(struct.unpack(f"<{len(raw) // 2}h", raw))
    meant = pcm(audio.path.read_bytes())
    assert len(heard) == 16_000
    assert likeness(heard, meant + meant[:800]) > 0.98


async def test_every_packet_is_there_in_order_and_holds_the_very_sound(audio: Audio, ear: Ear) -> None:
    made = driver()
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(ear.address, audio)))[0], Accepted)
    sound = (await load(audio, Line.A_LAW)).samples
    await wait_until(lambda: len(ear.heard()) >= len(sound), within=30)
    await made.close()
    assert ear.heard() == sound
    assert [one.marker for one in ear.packets] == [True] + [False] * (len(sound) // 160 - 1)
    assert {one.type for one in ear.packets} == {8}
    first = ear.packets[0]
    for number, packet in enumerate(ear.packets):
        assert packet.sequence == (first.sequence + number) & 0xFFFF
        assert packet.time == (first.time + 160 * number) & 0xFFFFFFFF


async def test_packets_carry_class_and_hops(audio: Audio) -> None:
    ear, made = Ear("239.255.77.1"), driver(dscp=46, ttl=7)
    await made.open(MemoryInbox())
    await send(made, envelope(ear.address, audio))
    await wait_until(lambda: len(ear.packets) > 3, within=60)
    await made.close()
    ear.close()
    assert {(one.tos, one.ttl) for one in ear.packets} == {(46 << 2, 7)}


async def test_groups_sound_at_the_same_time(audio: Audio) -> None:
    ears, made = [Ear() for _ in range(5)], driver()
    await made.open(MemoryInbox())
    envelopes = [envelope(ear.address, audio, number) for number, ear in enumerate(ears)]
    assert all(isinstance(one, Accepted) for one in await send(made, *envelopes))
    await wait_until(lambda: all(ear.packets for ear in ears), within=60)
    await made.close()
    for ear in ears:
        ear.close()


async def test_the_more_urgent_is_heard_at_once_and_the_other_no_more(audio: Audio, ear: Ear) -> None:
    made = driver()
    await made.open(MemoryInbox())
    await send(made, envelope(ear.address, audio, 1, urgency=2))
    await wait_until(lambda: len(ear.packets) > 5, within=60)
    (later,) = await send(made, envelope(ear.address, audio, 2, urgency=2))
    assert isinstance(later, Deferred)
    assert isinstance((await send(made, envelope(ear.address, audio, 3)))[0], Accepted)
    await wait_until(lambda: sum(one.marker for one in ear.packets) == 2, within=60)
    second = next(n for n, one in enumerate(ear.packets) if n and one.marker)
    await wait_until(lambda: len(ear.packets) > second + 20, within=60)
    await made.close()
    sound = (await load(audio, Line.A_LAW)).samples
    assert sound.startswith(b"".join(one.payload for one in ear.packets[second:]))


async def test_recall_is_silence(audio: Audio, ear: Ear) -> None:
    made = driver()
    await made.open(MemoryInbox())
    one = envelope(ear.address, audio)
    await send(made, one)
    await wait_until(lambda: len(ear.packets) > 5, within=60)
    await made.recall([Sent(one.key, "", ear.address)])
    (again,) = await send(made, envelope(ear.address, audio, 2, urgency=3))
    assert isinstance(again, Accepted), "the group is free"
    await made.close()


async def test_close_lets_what_sounds_come_to_its_end(ear: Ear, tmp_path: Path) -> None:
    audio, made = chirp(tmp_path, 0.5), driver(finish_within=30)
    await made.open(MemoryInbox())
    await send(made, envelope(ear.address, audio))
    await made.close()
    assert len(ear.heard()) >= 0.5 * 8000


@pytest.mark.parametrize("address", ["", "239.1.2.3", "239.1.2.3:0", "239.1.2.3:99999", "x:5004", "::1:5", "1.2.3:4"])
async def test_what_is_no_group_is_rejected(address: str, audio: Audio) -> None:
    made = driver()
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(address, audio)))[0], Rejected)
    await made.close()


@pytest.mark.parametrize("options", [{"dscp": 64}, {"codec": "opus"}, {"interface": "eth0"}, {"ttl": 0}], ids=str)
def test_a_wrong_option_is_said(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(options))):
        driver(**options)
