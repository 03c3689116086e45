"""The broadcast as a live stream: on a real Icecast with ffmpeg as listener, and on one of our own in all moods."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Envelope,
    GatewaySettings,
    Medium,
    Message,
    Notice,
    Outcome,
    Rejected,
    Sent,
)
from broadcaster.testing import MemoryInbox, MemoryJournal, Mood
from channels.loudspeaker.icecast import plugin
from channels.loudspeaker.icecast.driver import IcecastDriver
from tests.harness.icecast import ADMIN, SECRET, Icecast
from tests.harness.ports import free_port
from tests.harness.radio import chirp, likeness, pcm
from tests.harness.stream_server import StreamServer
from tests.harness.waiting import wait_until

MOUNT = "/village-3.mp3"


def driver(port: int, **options: object) -> IcecastDriver:
    given = {"host": "127.0.0.1", "port": port, "password": SECRET, "finish_within": 0, "answer_timeout": 5, **options}
    made = plugin.build(GatewaySettings("ice", Medium.LOUDSPEAKER, "icecast", rate=10, options=given), MemoryJournal())
    assert isinstance(made, IcecastDriver)
    return made


def envelope(audio: Audio, alert: int = 1, urgency: int = 0, mount: str = MOUNT) -> Envelope:
    at = datetime.now(UTC)
    notice = Notice(
        identifier=str(alert), kind="warning", status="Actual", msg_type="Alert", title="台风红色预警", sender="s",
        sent=at, starts=at, ends=at,
    )  # fmt: skip
    return Envelope(
        DeliveryKey(alert, 1, 1), mount, Message("x", audio=audio, notice=notice), urgency, at + timedelta(hours=1)
    )


async def send(made: IcecastDriver, *envelopes: Envelope) -> list[Outcome]:
    return [outcome async for outcome in made.send(envelopes)]


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return chirp(tmp_path_factory.mktemp("chirp"), 6.0)


@pytest.fixture
async def icecast(tmp_path: Path) -> AsyncIterator[Icecast]:
    async with Icecast(tmp_path) as server:
        yield server


@pytest.fixture
async def server() -> AsyncIterator[StreamServer]:
    async with StreamServer() as made:
        yield made


async def source(icecast: Icecast) -> dict[str, object] | None:
    """What the server says of its one stream."""
    page = (await icecast.page("/status-json.xsl")).partition(b"\r\n\r\n")[2]
    if b'"source"' not in page:  # what it says then is not quite JSON
        return None
    found = json.loads(page)["icestats"]["source"]
    return found if isinstance(found, dict) else None


async def test_a_listener_of_icecast_hears_what_was_meant(icecast: Icecast, audio: Audio) -> None:
    made = driver(icecast.port, ahead=1.0)
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(audio)))[0], Accepted)
    listener = await icecast.listen(MOUNT, 4.0)
    assert listener.stdout is not None
    raw = await listener.stdout.read()
    await listener.wait()
    await made.close()
    heard = list(struct.unpack(f"<{len(raw) // 2}h", raw))
    assert likeness(heard, pcm(audio.path.read_bytes())) > 0.95


async def test_the_stream_has_the_alerts_title(icecast: Icecast, audio: Audio) -> None:
    made = driver(icecast.port)
    await made.open(MemoryInbox())
    await send(made, envelope(audio))

    async def title() -> object:
        found = await source(icecast)
        return found and found.get("title")

    assert unescape(await wait_until(title, within=60)) == "台风红色预警"
    found = await source(icecast)
    assert found is not None
    assert found["server_name"] == "Emergency broadcast"
    await made.close()


async def test_red_takes_the_mount_from_a_lesser_alert(icecast: Icecast, audio: Audio) -> None:
    made = driver(icecast.port)
    await made.open(MemoryInbox())
    await send(made, envelope(audio, 1, urgency=2))
    assert isinstance((await send(made, envelope(audio, 2, urgency=2)))[0], Deferred)
    assert isinstance((await send(made, envelope(audio, 3)))[0], Accepted)
    await made.close()


async def test_recall_ends_the_stream(icecast: Icecast, audio: Audio) -> None:
    made = driver(icecast.port)
    await made.open(MemoryInbox())
    one = envelope(audio)
    await send(made, one)
    await wait_until(lambda: source(icecast), within=60)
    await made.recall([Sent(one.key, "", MOUNT)])

    async def silent() -> bool:
        return await source(icecast) is None

    await wait_until(silent, within=60)
    await made.close()


async def test_another_source_is_waited_for_or_ended_if_we_may(icecast: Icecast, audio: Audio) -> None:
    daily, ours = driver(icecast.port), driver(icecast.port)
    await daily.open(MemoryInbox())
    await ours.open(MemoryInbox())
    await send(daily, envelope(audio, 1))
    (outcome,) = await send(ours, envelope(audio, 2))
    assert isinstance(outcome, Deferred)
    assert outcome.address_only
    assert "403" in outcome.reason
    await ours.close()
    ours = driver(icecast.port, admin_password=ADMIN)
    await ours.open(MemoryInbox())
    assert isinstance((await send(ours, envelope(audio, 2)))[0], Accepted)
    await ours.close()
    await daily.close()


async def test_a_wrong_password_is_put_off_with_the_reason(icecast: Icecast, audio: Audio) -> None:
    made = driver(icecast.port, password="wrong")
    await made.open(MemoryInbox())
    (outcome,) = await send(made, envelope(audio))
    assert isinstance(outcome, Deferred)
    assert "401" in outcome.reason
    await made.close()


async def test_a_stream_that_breaks_off_goes_on_where_the_time_is(server: StreamServer, audio: Audio) -> None:
    server.cut_after = 8_000
    made = driver(server.port, ahead=0, finish_within=60)
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(audio)))[0], Accepted)
    await made.close()
    content, heard = audio.path.read_bytes(), bytes(server.heard[MOUNT])
    assert server.taken == [MOUNT, MOUNT]
    assert content.endswith(heard[-4000:])
    assert len(heard) < len(content), "what was missed is not played later"


async def test_a_server_that_never_comes_back_holds_no_mount_for_a_broadcast_whose_time_is_over(tmp_path: Path) -> None:
    audio = chirp(tmp_path, 3.0)
    async with StreamServer() as server:
        made = driver(server.port, ahead=0)
        await made.open(MemoryInbox())
        assert isinstance((await send(made, envelope(audio)))[0], Accepted)

    async def said_to_be_away() -> bool:
        (outcome,) = await send(made, envelope(audio, 2))
        assert isinstance(outcome, Deferred)
        return outcome.reason.startswith("Icecast 没有应答")

    await wait_until(said_to_be_away, within=60)
    await made.close()


async def test_every_octet_arrives_and_in_real_time(server: StreamServer, tmp_path: Path) -> None:
    audio = chirp(tmp_path, 1.0)
    made = driver(server.port, ahead=0, finish_within=60)
    await made.open(MemoryInbox())
    loop = asyncio.get_running_loop()
    began = loop.time()
    await send(made, envelope(audio))
    await made.close()
    assert loop.time() - began > 0.9
    assert bytes(server.heard[MOUNT]) == audio.path.read_bytes()
    assert any("台风红色预警" in unquote(one) for one in server.titles)


@pytest.mark.parametrize("mood", [Mood.CUTTING, Mood.SILENT, Mood.BABBLING])
async def test_before_it_sounds_every_trouble_puts_it_off(mood: Mood, server: StreamServer, audio: Audio) -> None:
    made = driver(server.port, answer_timeout=0.3)
    await made.open(MemoryInbox())
    server.mood = mood
    assert isinstance((await send(made, envelope(audio)))[0], Deferred)
    await made.close()


@pytest.mark.parametrize("mount", ["", "village", "/a b", "/a?b", "/../admin/killsource", "/admin/x", "/a/", "//"])
async def test_what_is_no_mount_is_rejected(mount: str, server: StreamServer, audio: Audio) -> None:
    made = driver(server.port)
    await made.open(MemoryInbox())
    outcome = (await send(made, envelope(audio, mount=mount)))[0]
    assert isinstance(outcome, Rejected), outcome
    await made.close()


async def test_where_nobody_listens_it_does_not_open() -> None:
    with pytest.raises(UnavailableError):
        await driver(free_port()).open(MemoryInbox())


@pytest.mark.parametrize("options", [{"password": ""}, {"host": "a b"}, {"user": "a:b"}, {"ahead": 99}], ids=str)
def test_a_wrong_option_is_said(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(options))) as found:
        driver(8000, **options)
    assert SECRET not in str(found.value)
