"""Speech from services: the real protocols spoken to a peer in a process of its own, and everything that can go
wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from broadcaster.ports import EngineSettings
from channels.speech.cloud import GAP
from channels.speech.engines import engines
from channels.speech.synthesizer import EngineError, Fault, Synthesizer
from tests.harness import speech_cloud
from tests.harness.certificates import Certificates, certificates
from tests.harness.ports import connected
from tests.harness.speech_cloud import SpeechPeer, speech_peer, tone
from tests.harness.waiting import wait_until

TEXT = "台风红色预警，请立即转移。"
LONG = "".join(f"第{number}句，请沿海低洼地带的居民立即转移到安置点。" for number in range(140))
Make = Callable[..., Synthesizer]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def running(papers: Certificates) -> Iterator[SpeechPeer]:
    with speech_peer(papers) as peer:
        yield peer


@pytest.fixture
def peer(running: SpeechPeer) -> SpeechPeer:
    running.direct(mood="willing", tokens=[speech_cloud.TOKEN], life=86_400, skew=0, heard=[])
    return running


@pytest.fixture
async def make(peer: SpeechPeer) -> AsyncIterator[Make]:
    made: list[Synthesizer] = []

    def build(engine: str, **options: object) -> Synthesizer:
        made.append(engines([EngineSettings(engine, {**usual(engine, peer.port), "timeout": 60.0, **options})])[0])
        return made[-1]

    yield build
    for one in made:
        await one.close()
    for port in (peer.port, peer.tls_port):  # the other side's farewell may take longer than this loop lives
        await wait_until(lambda port=port: not connected(port), what="the connections to be closed")  # type: ignore[misc]


def usual(engine: str, port: int) -> dict[str, Any]:
    if engine == "aliyun_nls":
        where = f"http://127.0.0.1:{port}"
        return {
            "voices": {"zh-CN": "zhixiaobai", "yue": "shanshan"},
            "app_key": speech_cloud.APP_KEY,
            "token": speech_cloud.TOKEN,
            "endpoint": where,
            "token_endpoint": where,
        }
    return {
        "voices": {"zh-CN": "x4_xiaoyan", "yue": "x4_xiaomei"},
        "app_id": speech_cloud.APP_ID,
        "api_key": speech_cloud.API_KEY,
        "api_secret": speech_cloud.API_SECRET,
        "endpoint": f"ws://127.0.0.1:{port}/v2/tts",
    }


BOTH = pytest.mark.parametrize("engine", ["aliyun_nls", "xfyun"])


@BOTH
async def test_a_service_speaks_the_text_by_the_voice_of_its_language(
    make: Make, peer: SpeechPeer, engine: str
) -> None:
    speech = await make(engine).speak(TEXT, "zh-CN")
    assert speech.samples == tone(TEXT)
    assert speech.sample_rate == speech_cloud.RATE
    await make(engine).speak(TEXT, "zh-HK")
    assert [one["voice"] for one in peer.direct()] == list(usual(engine, 0)["voices"].values())


@BOTH
async def test_a_long_text_is_cut_at_sentence_ends_and_joined(make: Make, peer: SpeechPeer, engine: str) -> None:
    speech = await make(engine).speak(LONG, "zh-CN")
    heard = sorted((one["text"] for one in peer.direct()), key=LONG.index)
    assert "".join(heard) == LONG
    assert len(heard) > 1
    assert all(piece.endswith("。") for piece in heard)
    assert speech.samples == bytes(2 * round(GAP * speech.sample_rate)).join(map(tone, heard))


@BOTH
@pytest.mark.parametrize(
    ("mood", "fault"),
    [("silent", Fault.SLOW), ("cutting", Fault.DOWN), ("babbling", Fault.NONSENSE)],
)
async def test_a_service_that_breaks_off_costs_a_short_time(
    make: Make, peer: SpeechPeer, engine: str, mood: str, fault: Fault
) -> None:
    peer.direct(mood=mood)
    with pytest.raises(EngineError) as failure:
        await make(engine, timeout=1.0 if fault is Fault.SLOW else 60.0).speak(TEXT, "zh-CN")
    assert failure.value.fault is fault


@BOTH
async def test_a_service_that_is_not_there_is_down(make: Make, engine: str) -> None:
    options = usual(engine, 9)
    nowhere = {name: options[name] for name in options if name.endswith("endpoint")}
    with pytest.raises(EngineError) as failure:
        await make(engine, **nowhere).speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.DOWN


CODES = [
    ("aliyun_nls", 40000005, Fault.BUSY),
    ("aliyun_nls", 40000010, Fault.QUOTA),
    ("aliyun_nls", 40020105, Fault.REFUSED),
    ("aliyun_nls", 41020001, Fault.REFUSED),
    ("aliyun_nls", 49999999, Fault.REFUSED),
    ("aliyun_nls", 50000000, Fault.DOWN),
    ("xfyun", 10005, Fault.REFUSED),
    ("xfyun", 10009, Fault.TEXT),
    ("xfyun", 10019, Fault.SLOW),
    ("xfyun", 11200, Fault.REFUSED),
    ("xfyun", 11201, Fault.QUOTA),
    ("xfyun", 11202, Fault.BUSY),
    ("xfyun", 99999, Fault.DOWN),
]


@pytest.mark.parametrize(("engine", "code", "fault"), CODES)
async def test_a_refusal_is_classified_by_its_code(
    make: Make, peer: SpeechPeer, engine: str, code: int, fault: Fault
) -> None:
    peer.direct(mood=str(code))
    with pytest.raises(EngineError, match=str(code)) as failure:
        await make(engine).speak(TEXT, "zh-CN")
    assert failure.value.fault is fault
    assert failure.value.remedy


@BOTH
async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    make: Make, peer: SpeechPeer, papers: Certificates, engine: str
) -> None:
    scheme, path = ("https", "") if engine == "aliyun_nls" else ("wss", "/v2/tts")
    endpoint = f"{scheme}://127.0.0.1:{peer.tls_port}{path}"
    with pytest.raises(EngineError) as failure:
        await make(engine, endpoint=endpoint).speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.DOWN
    trusting = make(engine, endpoint=endpoint, ca_file=str(papers.authority))
    assert (await trusting.speak(TEXT, "zh-CN")).samples == tone(TEXT)


KEYED = {"token": "", "access_key_id": speech_cloud.KEY_ID, "access_key_secret": speech_cloud.SECRET}


async def test_a_token_is_made_by_the_access_key_and_used_until_its_end(make: Make, peer: SpeechPeer) -> None:
    engine = make("aliyun_nls", **KEYED)
    await engine.speak(LONG, "zh-CN")
    await engine.speak(TEXT, "zh-CN")
    assert sum("token" in one for one in peer.direct()) == 1
    peer.direct(life=60)  # the next one is nearly over when it is made
    fresh = make("aliyun_nls", **KEYED)
    await fresh.speak(TEXT, "zh-CN")
    await fresh.speak(TEXT, "zh-CN")
    assert sum("token" in one for one in peer.direct()) == 3


async def test_a_token_that_was_withdrawn_is_renewed_once(make: Make, peer: SpeechPeer) -> None:
    engine = make("aliyun_nls", **KEYED)
    await engine.speak(TEXT, "zh-CN")
    peer.direct(tokens=[], heard=[])
    assert (await engine.speak(TEXT, "zh-CN")).samples == tone(TEXT)
    assert [sorted(one) for one in peer.direct()] == [
        ["refused", "text", "voice"],
        ["token"],
        ["refused", "text", "voice"],
    ]


async def test_a_wrong_access_key_is_refused_and_said_without_it(make: Make) -> None:
    with pytest.raises(EngineError) as failure:
        await make("aliyun_nls", **{**KEYED, "access_key_secret": "wrong-secret"}).speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.REFUSED
    assert "wrong-secret" not in str(failure.value)


async def test_a_stale_token_given_by_hand_is_refused_and_never_repeated(make: Make) -> None:
    with pytest.raises(EngineError, match="40000001") as failure:
        await make("aliyun_nls", token="stale-token").speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.REFUSED
    assert "stale-token" not in str(failure.value)


@pytest.mark.parametrize("mood", ["empty", "elsewhere"])
async def test_an_answer_without_speech_is_nonsense_and_a_redirection_is_not_followed(
    make: Make, peer: SpeechPeer, mood: str
) -> None:
    peer.direct(mood=mood)
    with pytest.raises(EngineError) as failure:
        await make("aliyun_nls").speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.NONSENSE


@pytest.mark.parametrize("wrong", [{"api_secret": "another-secret"}, {"api_key": "another-key"}])
async def test_a_wrong_signature_is_refused(make: Make, wrong: dict[str, str]) -> None:
    with pytest.raises(EngineError, match="签名或时钟") as failure:
        await make("xfyun", **wrong).speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.REFUSED
    assert not any(secret in str(failure.value) for secret in wrong.values())


async def test_a_clock_that_is_wrong_is_refused(make: Make, peer: SpeechPeer) -> None:
    peer.direct(skew=301)
    with pytest.raises(EngineError, match="403"):
        await make("xfyun").speak(TEXT, "zh-CN")


async def test_speech_that_cannot_be_decoded_is_nonsense(make: Make, peer: SpeechPeer) -> None:
    peer.direct(mood="garbled")
    with pytest.raises(EngineError) as failure:
        await make("xfyun").speak(TEXT, "zh-CN")
    assert failure.value.fault is Fault.NONSENSE


@BOTH
async def test_after_closing_it_speaks_again_when_asked(make: Make, engine: str) -> None:
    one = make(engine)
    await one.speak(TEXT, "zh-CN")
    await one.close()
    assert (await one.speak(TEXT, "zh-CN")).samples == tone(TEXT)
