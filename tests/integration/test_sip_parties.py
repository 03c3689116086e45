"""Calls to parties that nobody here wrote: SIPp by scenarios, and the phone baresip, which records what it hears."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from broadcaster.ports import Accepted, Deferred, Evidence, Sent
from channels.voice.sip.media.recording import read
from tests.harness.baresip import baresip
from tests.harness.calls import Line, a_law, envelope, line
from tests.harness.sipp import Called, sipp
from tests.harness.waiting import wait_until

SHORT = 1.0


async def called(made: Line, tmp_path: Path, seconds: float = SHORT, *, answer: str = "") -> tuple[Evidence, str]:
    """Place one call; what came of it."""
    (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", seconds), answer=answer))
    assert isinstance(outcome, Accepted), outcome
    (receipt,) = await made.receipts()
    return receipt.evidence, receipt.reason


async def as_written(peer: Called) -> None:
    assert await asyncio.to_thread(peer.passed), peer.said()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("scenario", ["answer", "answer_mu"])
async def test_sipp_answers_and_hears_it_out(tmp_path: Path, scenario: str, tcp: bool) -> None:
    with sipp(tmp_path, scenario, tcp=tcp) as peer:
        async with line(peer.port, heartbeat=0.0, transport="tcp" if tcp else "udp") as made:
            assert await called(made, tmp_path) == (Evidence.DELIVERED, "")
            await as_written(peer)


async def test_sipp_is_busy(tmp_path: Path) -> None:
    with sipp(tmp_path, "busy") as peer:
        async with line(peer.port, heartbeat=0.0) as made:
            assert await called(made, tmp_path) == (Evidence.FAILED, "占线（486）")
            await as_written(peer)


async def test_sipp_does_not_answer_and_is_cancelled(tmp_path: Path) -> None:
    with sipp(tmp_path, "no_answer") as peer:
        async with line(peer.port, heartbeat=0.0, ring_timeout=1.0) as made:
            assert await called(made, tmp_path) == (Evidence.FAILED, "无人接听")
            await as_written(peer)


async def test_sipp_verifies_who_we_are(tmp_path: Path) -> None:
    with sipp(tmp_path, "challenge") as peer:
        async with line(peer.port, heartbeat=0.0, user="county", password="s3cret") as made:
            assert await called(made, tmp_path) == (Evidence.DELIVERED, "")
            await as_written(peer)


async def test_sipp_wants_to_know_who_says_good_bye(tmp_path: Path) -> None:
    with sipp(tmp_path, "challenged_bye") as peer:
        async with line(peer.port, heartbeat=0.0, user="county", password="s3cret") as made:
            assert await called(made, tmp_path) == (Evidence.DELIVERED, "")
            await as_written(peer)


async def test_sipp_finds_out_that_we_are_somebody_else(tmp_path: Path) -> None:
    with sipp(tmp_path, "challenge") as peer:
        async with line(peer.port, heartbeat=0.0) as made:
            (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", SHORT)))
            assert isinstance(outcome, Deferred)
            assert "认证" in outcome.reason


async def test_sipp_hangs_up_early(tmp_path: Path) -> None:
    with sipp(tmp_path, "early_bye") as peer:
        async with line(peer.port, heartbeat=0.0) as made:
            evidence, reason = await called(made, tmp_path, 20.0)
            await as_written(peer)
    assert evidence is Evidence.FAILED
    assert reason.startswith("未听完（听了 ")


@pytest.mark.parametrize(
    ("scenario", "until"), [("answer", "已接听"), ("no_answer", "中继已接")], ids=["speaking", "ringing"]
)
async def test_sipp_is_told_when_a_call_is_recalled(tmp_path: Path, scenario: str, until: str) -> None:
    with sipp(tmp_path, scenario) as peer:
        async with line(peer.port, heartbeat=0.0) as made:
            (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", 20.0)))
            assert isinstance(outcome, Accepted), outcome
            await wait_until(lambda: any(until in one for one in made.journal.lines))
            await made.driver.recall([Sent(outcome.key, outcome.ref, "")])
            (receipt,) = await made.receipts()
            await as_written(peer)
    assert receipt.evidence is Evidence.FAILED
    assert receipt.reason.endswith("已撤回")


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_sipp_holds_the_call_and_hears_it_out_afterwards(tmp_path: Path, tcp: bool) -> None:
    loop = asyncio.get_running_loop()
    with sipp(tmp_path, "hold", tcp=tcp) as peer:
        async with line(peer.port, heartbeat=0.0, transport="tcp" if tcp else "udp") as made:
            began = loop.time()
            assert await called(made, tmp_path, 2.0) == (Evidence.DELIVERED, "")
            assert loop.time() - began > 3.5, "what is held takes as much longer"
            await as_written(peer)


async def test_sipp_presses_a_key_as_a_phone_recorded_it(tmp_path: Path) -> None:
    with sipp(tmp_path, "keys") as peer:
        async with line(peer.port, heartbeat=0.0) as made:
            assert await called(made, tmp_path, 20.0, answer="收到") == (Evidence.DELIVERED, "")
            await as_written(peer)
    assert [reply.text for reply in made.inbox.stored_replies] == ["1"]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_baresip_lifts_the_receiver_and_records_what_was_sent(tmp_path: Path, transport: str) -> None:
    with baresip(tmp_path / "phone") as phone:
        audio = a_law(tmp_path / "a.wav", 4.0)
        secure: dict[str, object] = {"ca_file": str(phone.authority)} if transport == "tls" else {}
        async with line(phone.port + bool(secure), transport=transport, **secure) as made:
            (outcome,) = await made.call(envelope(1, audio))
            assert isinstance(outcome, Accepted)
            (receipt,) = await made.receipts()
        assert receipt.evidence is Evidence.DELIVERED
        sent, heard = read(audio.path), phone.recorded()
    words = b"".join(sent.packet(n, 8) for n in range(sent.packets))
    assert longest_common(words, heard) > 0.95 * len(words)


def longest_common(sent: bytes, heard: bytes) -> int:
    """Octets of what was sent that were heard in one go, from the first packet that was: receivers begin a little
    late."""
    for start in range(0, len(sent), 160):
        at = heard.find(sent[start : start + 640])
        if at >= 0:
            pairs = zip(sent[start:], heard[at:], strict=False)
            return next(
                (n for n, (one, other) in enumerate(pairs) if one != other), min(len(sent) - start, len(heard) - at)
            )
    return 0
