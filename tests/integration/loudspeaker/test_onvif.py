"""Cameras with a loudspeaker: what is said to them, what they may answer, and what they are heard to play."""

from __future__ import annotations

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
from broadcaster.testing import MemoryInbox, MemoryJournal, Mood
from channels.loudspeaker.live.answer import NonsenseError
from channels.loudspeaker.onvif import plugin
from channels.loudspeaker.onvif.description import backchannel, joined
from channels.loudspeaker.onvif.driver import OnvifDriver
from channels.loudspeaker.onvif.proof import Proof
from channels.speech.track import Line, load
from tests.harness.camera import SECRET, USER, CameraServer
from tests.harness.ports import free_port
from tests.harness.radio import chirp
from tests.harness.waiting import wait_until

WORDS = {"user": USER, "password": SECRET}


def driver(**options: object) -> OnvifDriver:
    given = {"finish_within": 0, "answer_timeout": 5, **options}
    made = plugin.build(
        GatewaySettings("cameras", Medium.LOUDSPEAKER, "onvif_backchannel", rate=10, options=given), MemoryJournal()
    )
    assert isinstance(made, OnvifDriver)
    return made


def envelope(address: str, audio: Audio, alert: int = 1, urgency: int = 0) -> Envelope:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return Envelope(DeliveryKey(alert, 1, 1), address, Message("x", audio=audio), urgency, expires)


async def send(made: OnvifDriver, *envelopes: Envelope) -> list[Outcome]:
    return [outcome async for outcome in made.send(envelopes)]


async def told(camera: CameraServer, audio: Audio, **options: object) -> Outcome:
    """What becomes of one broadcast."""
    made = driver(**options)
    await made.open(MemoryInbox())
    (outcome,) = await send(made, envelope(camera.url, audio))
    await made.close()
    return outcome


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return chirp(tmp_path_factory.mktemp("chirp"), 3.0)


@pytest.fixture
async def camera() -> AsyncIterator[CameraServer]:
    async with CameraServer() as made:
        yield made


@pytest.mark.parametrize(
    ("encodings", "maps", "law", "payload_type"),
    [
        ("0 8", "", Line.MU_LAW, 0),
        ("8", "", Line.A_LAW, 8),
        ("97 98", "a=rtpmap:97 AAC/16000\r\na=rtpmap:98 PCMA/8000\r\n", Line.A_LAW, 98),
        ("0", "a=rtpmap:0 PCMU/8000/1\r\n", Line.MU_LAW, 0),
    ],
)
async def test_the_camera_plays_the_very_sound_in_an_encoding_of_its_own(
    encodings: str, maps: str, law: Line, payload_type: int, camera: CameraServer, tmp_path: Path
) -> None:
    camera.encodings, camera.maps = encodings, maps
    audio = chirp(tmp_path, 0.6)
    made = driver(finish_within=60)
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(camera.url, audio)))[0], Accepted)
    await made.close()
    assert camera.heard() == (await load(audio, law)).samples
    assert {packet.type for packet in camera.packets} == {payload_type}
    assert [one.method for one in camera.requests] == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    await wait_until(lambda: camera.sessions == 0, within=60)


@pytest.mark.parametrize("qop", [True, False])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", ""])
async def test_it_says_who_we_are(algorithm: str, qop: bool, camera: CameraServer, audio: Audio) -> None:
    camera.algorithm, camera.qop = algorithm, qop
    assert isinstance(await told(camera, audio, **WORDS), Accepted)


@pytest.mark.parametrize("words", [{}, {"user": USER, "password": "wrong"}], ids=str)
async def test_who_we_are_not_is_rejected(words: dict[str, object], camera: CameraServer, audio: Audio) -> None:
    camera.algorithm = "MD5"
    outcome = await told(camera, audio, **words)
    assert isinstance(outcome, Rejected)
    assert "401" in outcome.reason


async def test_a_camera_without_a_loudspeaker_is_rejected(camera: CameraServer, audio: Audio) -> None:
    camera.backchannel = False
    outcome = await told(camera, audio)
    assert isinstance(outcome, Rejected)
    assert "551" in outcome.reason


async def test_a_camera_that_speaks_no_encoding_of_ours_is_rejected(camera: CameraServer, audio: Audio) -> None:
    camera.encodings, camera.maps = "97", "a=rtpmap:97 AAC/16000\r\n"
    outcome = await told(camera, audio)
    assert isinstance(outcome, Rejected)
    assert "G.711" in outcome.reason


@pytest.mark.parametrize(("status", "kind"), [(404, Rejected), (453, Deferred), (500, Deferred), (503, Deferred)])
@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
async def test_what_the_camera_answers_is_the_outcome(
    method: str, status: int, kind: type[Outcome], camera: CameraServer, audio: Audio
) -> None:
    camera.refuses[method] = status
    outcome = await told(camera, audio)
    assert isinstance(outcome, kind)
    await wait_until(lambda: camera.sessions == 0, within=60)


@pytest.mark.parametrize("mood", [Mood.CUTTING, Mood.SILENT, Mood.BABBLING])
async def test_before_it_sounds_every_trouble_puts_it_off(mood: Mood, camera: CameraServer, audio: Audio) -> None:
    camera.mood = mood
    outcome = await told(camera, audio, answer_timeout=0.3)
    assert isinstance(outcome, Deferred)
    assert outcome.address_only


async def test_a_camera_that_is_not_there_is_put_off(audio: Audio) -> None:
    made = driver()
    await made.open(MemoryInbox())
    (outcome,) = await send(made, envelope(f"rtsp://127.0.0.1:{free_port()}/x", audio))
    assert isinstance(outcome, Deferred)
    await made.close()


async def test_what_the_camera_says_unasked_is_read_over(camera: CameraServer, audio: Audio) -> None:
    camera.chatter = True
    assert isinstance(await told(camera, audio), Accepted)


async def test_the_session_is_kept_alive(camera: CameraServer, audio: Audio) -> None:
    camera.timeout = 2
    made = driver(finish_within=60)
    await made.open(MemoryInbox())
    await send(made, envelope(camera.url, audio))
    await made.close()
    assert sum(one.method == "GET_PARAMETER" for one in camera.requests) >= 2


async def test_a_line_that_breaks_is_made_again_and_goes_on_where_the_time_is(
    camera: CameraServer, audio: Audio
) -> None:
    camera.cut_after = 40
    made = driver(finish_within=60)
    await made.open(MemoryInbox())
    await send(made, envelope(camera.url, audio))
    await made.close()
    sound = (await load(audio, Line.MU_LAW)).samples
    assert len(camera.taken) == 2
    assert sound.endswith(b"".join(one.payload for one in camera.packets[45:]))
    assert len(camera.heard()) < len(sound), "what was missed is not played later"


async def test_a_camera_that_never_comes_back_is_taken_by_no_broadcast_whose_time_is_over(tmp_path: Path) -> None:
    audio, made = chirp(tmp_path, 0.6), driver()
    await made.open(MemoryInbox())
    async with CameraServer() as camera:
        assert isinstance((await send(made, envelope(camera.url, audio)))[0], Accepted)

    async def said_to_be_away() -> bool:
        (outcome,) = await send(made, envelope(camera.url, audio, 2))
        assert isinstance(outcome, Deferred)
        return outcome.reason.startswith("摄像机没有接通")

    await wait_until(said_to_be_away, within=60)
    await made.close()


async def test_red_takes_the_camera_from_a_lesser_alert_and_recall_frees_it(camera: CameraServer, audio: Audio) -> None:
    made = driver()
    await made.open(MemoryInbox())
    await send(made, envelope(camera.url, audio, 1, urgency=2))
    assert isinstance((await send(made, envelope(camera.url, audio, 2, urgency=2)))[0], Deferred)
    red = envelope(camera.url, audio, 3)
    assert isinstance((await send(made, red))[0], Accepted)
    assert [one.method for one in camera.requests].count("TEARDOWN") == 1
    await made.recall([Sent(red.key, "", camera.url)])
    await wait_until(lambda: camera.sessions == 0, within=60)
    await made.close()


@pytest.mark.parametrize("address", ["", "http://h/x", "rtsp://u:p@h/x", "rtsp://h:0/x", "rtsp://h/a b", "rtsp:///x"])
async def test_what_is_no_camera_is_rejected(address: str, audio: Audio) -> None:
    made = driver()
    await made.open(MemoryInbox())
    assert isinstance((await send(made, envelope(address, audio)))[0], Rejected)
    await made.close()


def test_the_digest_is_the_one_of_the_standards_example() -> None:
    """RFC 2617, 3.5, without its qop, by hand: the same three hashes."""
    proof = Proof('Digest realm="testrealm@host.com", nonce="dcd98b", algorithm=MD5', "Mufasa", "Circle Of Life")
    assert 'uri="/dir/index.html"' in proof.header("GET", "/dir/index.html")
    assert not Proof('Digest realm="r", nonce="n", algorithm=SHA-512-256', "u", "p").possible
    assert not Proof('Digest realm="r", nonce="n"', "", "").possible


def test_a_description_says_which_stream_is_ours() -> None:
    assert backchannel(b"v=0\r\nm=audio 0 RTP/AVP 8\r\na=recvonly\r\n") is None
    found = backchannel(b"v=0\r\nm=audio 0 RTP/AVP 8\r\na=sendonly\r\na=control:rtsp://h/t\r\n")
    assert found is not None
    assert (found.control, found.line) == ("rtsp://h/t", Line.A_LAW)
    with pytest.raises(NonsenseError):
        backchannel(b"<html>")


def test_control_urls_are_joined_to_the_base() -> None:
    assert joined("rtsp://h/a/", "trackID=2") == "rtsp://h/a/trackID=2"
    assert joined("rtsp://h/a", "rtsp://h/b") == "rtsp://h/b"
    assert joined("rtsp://h/a", "*") == "rtsp://h/a"


@pytest.mark.parametrize("options", [{"user": "a:b"}, {"window": 0}, {"keep": 1}], ids=str)
def test_a_wrong_option_is_said(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(options))):
        driver(**options)
