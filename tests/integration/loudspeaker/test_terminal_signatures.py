"""Signed frames: OpenSSL is the terminal's hand and eye; whoever does not sign, or forges, is not heard; a cipher
device may take its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Audio, Deferred, Evidence, Sent
from broadcaster.rehearsal.fronts.terminal_frames import Seals
from broadcaster.rehearsal.fronts.terminal_seals import TerminalSeals
from channels.loudspeaker.signing.sm2 import PrivateKey, PublicKey
from tests.contract.rehearsal_peer import mp3
from tests.harness.cipher_device import cipher_device
from tests.harness.ebd_keys import OURS, OURS_SERIAL, THEIRS, THEIRS_SERIAL, public
from tests.harness.openssl import KeyPair, OpensslSeals
from tests.harness.terminal import Terminal
from tests.harness.waiting import wait_until
from tests.integration.loudspeaker.test_terminal_driver import CODES, FIRST, SIGNS, Platform, message, platform

WITHIN = 60.0


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return mp3(tmp_path_factory.mktemp("sound"), 2.0)


def seals(key: str = THEIRS, serial: str = THEIRS_SERIAL) -> TerminalSeals:
    return TerminalSeals(PrivateKey.read(key), serial, PublicKey.read(public(OURS)), OURS_SERIAL)


@asynccontextmanager
async def signing(audio: Audio, **options: object) -> AsyncIterator[Platform]:
    async with platform(audio, **{**SIGNS, **options}) as made:
        yield made


@pytest.mark.parametrize(
    ("edition", "timed"), [("2018", True), ("2019", True), ("2019", False)], ids=["2018", "2019", "2019 without time"]
)
async def test_openssl_verifies_what_we_order_and_we_what_openssl_reports(
    edition: str, timed: bool, audio: Audio, tmp_path: Path
) -> None:
    ours, theirs = KeyPair(tmp_path, "platform"), KeyPair(tmp_path, "terminal")
    hand = OpensslSeals(tmp_path, theirs, THEIRS_SERIAL, ours, OURS_SERIAL, timed=timed)
    keys = {"key": ours.private.read_text(), "terminal_keys": {THEIRS_SERIAL: theirs.public.read_text()}}
    async with signing(audio, edition=edition, utc_signed=timed, **keys) as made:
        async with Terminal(FIRST, made.port, flagged=edition == "2019", seals=hand) as terminal:
            accepted = await made.begin(7)
            assert (await terminal.ordered())[0].message == message(7)
            await terminal.acknowledged(terminal.played(message(7)))
            assert (await made.receipt()).evidence is Evidence.DELIVERED
            await made.driver.recall([Sent(made.envelope(7).key, accepted.ref, FIRST)])
            assert await terminal.stopped() == [message(7)]
    assert hand.verified == 4, "the acknowledgements of heartbeat and result, the order, the stop"


class Altered:
    """Signs something else than is sent."""

    def make(self, content: bytes) -> bytes:
        return seals().make(content[:-1] + b"!")

    def good(self, content: bytes, seal: bytes) -> bool:
        return True


@pytest.mark.parametrize(
    ("hand", "why"),
    [
        (None, "no signature"),
        (seals(OURS), "signature that is wrong"),
        (Altered(), "signature that is wrong"),
        (seals(serial="000000000999"), "not known"),
    ],
    ids=["unsigned", "forged", "altered", "unknown"],
)
async def test_who_does_not_sign_as_one_of_ours_is_not_heard(hand: Seals | None, why: str, audio: Audio) -> None:
    async with signing(audio) as made:
        terminal = Terminal(FIRST, made.port, seals=hand)
        await terminal.dial(register=False)
        terminal.beat(first=True)
        await asyncio.wait_for(terminal.gone.wait(), WITHIN)
        await terminal.hang_up()
        assert not terminal.answers
        await wait_until(lambda: made.noted(why), within=WITHIN, what="a line in the journal")


async def test_a_result_that_is_forged_on_a_terminals_own_connection_proves_nothing(audio: Audio) -> None:
    async with signing(audio) as made, Terminal(FIRST, made.port, seals=seals()) as terminal:
        await made.begin(7)
        await terminal.ordered()
        terminal._frames._seals = seals(OURS)
        session = terminal.played(message(7))
        await asyncio.wait_for(terminal.gone.wait(), WITHIN)
        assert session not in terminal.answers
        assert not made.inbox.stored_receipts


@pytest.mark.parametrize(("hand", "heard"), [(None, True), (seals(OURS), False), (seals(serial="000000000999"), True)])
async def test_where_a_signature_is_only_preferred_a_wrong_one_is_still_refused(
    hand: Seals | None, heard: bool, audio: Audio
) -> None:
    async with signing(audio, verify="prefer", signed="orders") as made:
        terminal = Terminal(FIRST, made.port)
        await terminal.dial(register=False)
        terminal._frames._seals = hand
        session = terminal.beat(first=True)
        terminal._frames._seals = None
        await wait_until(lambda: terminal.gone.is_set() or session in terminal.answers, within=WITHIN, what="an answer")
        assert (session in terminal.answers) is heard
        await terminal.hang_up()


async def test_a_device_that_is_slow_keeps_nobody_waiting_but_orders(audio: Audio) -> None:
    async with cipher_device() as cipher:
        options = {"key": None, "device": cipher.url, "signed": "orders", "verify": "ignore"}
        async with signing(audio, **options) as made, Terminal(FIRST, made.port) as terminal:
            cipher.hold(True)
            terminal._frames._seals = None
            playing = asyncio.create_task(made.begin(7))
            await wait_until(lambda: cipher.asked == 1, within=WITHIN, what="the device to be asked")
            async with Terminal(CODES[1], made.port) as other:
                await other.acknowledged(other.beat())
                assert not playing.done()
                terminal._frames._seals = seals()
                cipher.hold(False)
                await playing
        assert [one.message for one in terminal.orders] == [message(7)]


async def test_what_waits_for_a_device_that_hangs_does_not_heap_up(audio: Audio) -> None:
    async with cipher_device() as cipher:
        options = {"key": None, "device": cipher.url, "verify": "ignore"}
        async with signing(audio, **options) as made, Terminal(FIRST, made.port, seals=seals()) as terminal:
            cipher.hold(True)
            for _ in range(50):
                terminal.beat()
            await wait_until(lambda: made.noted("waited too long"), within=WITHIN, what="a line in the journal")
            cipher.hold(False)
            before = len(terminal.answers)

            async def answered() -> bool:
                session = terminal.beat()
                await asyncio.sleep(0.1)
                return session in terminal.answers

            await wait_until(answered, within=WITHIN, what="the device to be well again")
            assert before < len(terminal.answers) < 50


async def test_orders_keep_their_sequence_while_they_are_signed(audio: Audio) -> None:
    """Stop what plays, then the new one: several threads sign, and each connection's frames wait for each other."""
    async with cipher_device() as cipher:
        options = {"key": None, "device": cipher.url}
        async with signing(audio, **options) as made, Terminal(FIRST, made.port, seals=seals()) as terminal:
            await made.begin(7, urgency=2)
            await made.begin(8, urgency=0)
            assert terminal.told == ["play", "stop", "play"]


async def test_nothing_goes_out_unsigned_when_the_device_fails(audio: Audio) -> None:
    async with cipher_device(web.Response(status=500)) as cipher:
        options = {"key": None, "device": cipher.url, "signed": "orders", "verify": "ignore"}
        async with signing(audio, **options) as made, Terminal(FIRST, made.port) as terminal:
            (outcome,) = await made.send(made.envelope(7))
            assert isinstance(outcome, Deferred)
            assert "签名" in outcome.reason
            assert not outcome.address_only
            with pytest.raises(UnavailableError, match="签名"):
                await made.driver.recall(
                    [Sent(made.envelope(7).key, "", FIRST), Sent(made.envelope(8).key, f"{message(8)}-{FIRST}", FIRST)]
                )
            assert not terminal.told
            cipher.answer = None
            terminal._frames._seals = seals()
            (outcome,) = await made.send(made.envelope(7, attempt=2))
            assert isinstance(outcome, Accepted)


async def test_a_crowd_of_signed_reports_is_heard_in_its_order(audio: Audio) -> None:
    """More of them than wait at a time: it is not read for a while, and nothing is lost. What is stored while many
    acknowledgements wait for their signature is not acknowledged, and is reported again."""
    crowd = range(1, 61)
    async with signing(audio) as made, Terminal(FIRST, made.port, seals=seals()) as terminal:
        sessions = {number: terminal.played(message(number)) for number in crowd}
        await wait_until(lambda: len(made.inbox.stored_receipts) == len(crowd), within=WITHIN, what="the crowd stored")
        refs = [one.ref.partition("-")[0] for one in made.inbox.stored_receipts]
        assert refs == [message(number) for number in crowd]
        await terminal.acknowledged(terminal.beat())  # nothing waits for its signature before this
        for number in [number for number, session in sessions.items() if session not in terminal.answers]:
            await terminal.acknowledged(terminal.played(message(number)))
