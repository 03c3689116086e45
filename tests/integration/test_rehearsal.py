"""The rehearsal as a process: gateways with quirks, people with habits, a record that outlives everybody."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    Evidence,
    GatewaySettings,
    Medium,
    Message,
    Outcome,
    Rejected,
)
from broadcaster.registry import Registry
from broadcaster.rehearsal.fates import Fates
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Account, Behaviour, Delay, Duty, Faults, Residents, Script
from broadcaster.testing import MemoryInbox, MemoryJournal
from tests.contract.rehearsal_peer import tone

PATIENCE = 60.0
AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=0.2)
ASKING = "收到请回复“1”（多条时回复“1 27”），需要支援请回复“求助”。"


def at_once(**changes: object) -> Behaviour:
    """No delays, and what is changed."""
    return msgspec.structs.replace(AT_ONCE, **changes)


def phones(count: int) -> list[str]:
    return [f"138{number:08d}" for number in range(count)]


def envelopes(
    addresses: Sequence[str], message: Message, *, alert: int = 1, attempt: int = 1, first: int = 1
) -> list[Envelope]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return [
        Envelope(DeliveryKey(alert, ordinal, attempt), address, message, 0, expires)
        for ordinal, address in enumerate(addresses, first)
    ]


@asynccontextmanager
async def signed_in(gateway: GatewaySettings, inbox: MemoryInbox) -> AsyncIterator[Driver]:
    driver = Registry.installed().plugin(gateway.channel, gateway.driver).build(gateway, MemoryJournal())
    await driver.open(inbox)
    try:
        yield driver
    finally:
        await driver.close()


async def send(driver: Driver, batch: Sequence[Envelope]) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


WARNING = Message("台风红色预警，请立即转移。")


async def test_it_ends_in_good_order_however_much_it_has_complained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONVERBOSE", "1")  # Python then tells of every module, and how it cleans up in the end
    async with RehearsalProcess(tmp_path, Script()) as rehearsal:
        pass
    said = rehearsal.said.read_bytes()
    assert len(said) > 128 * 1024
    assert b"# cleanup" in said


async def test_a_run_repeats_with_its_seed(tmp_path: Path) -> None:
    async def fates(folder: Path, seed: int) -> tuple[set[str], set[str], set[str]]:
        behaviour = Behaviour(
            answer=Delay(),
            receipt=Delay(),
            refuse={"黑名单": 0.1},
            failures={"空号": 0.2},
            loss=0.2,
            residents=Residents(share=0.2, after=Delay()),
        )
        inbox = MemoryInbox()
        addresses = phones(300)
        dealt = Fates(seed, "sms", behaviour, 1.0)
        marks = [dealt.mark(address) for address in addresses]
        told = [mark for mark in marks if not (dealt.traits(mark).refusal or dealt.weather(mark, 1, 1).lost)]
        async with RehearsalProcess(folder, Script(seed=seed, sms=behaviour)) as rehearsal:
            async with signed_in(rehearsal.gateway(Medium.SMS, rate=1000), inbox) as driver:
                outcomes = await send(driver, envelopes(addresses, WARNING))
                await inbox.until(lambda: len(inbox.refs()) == len(told), PATIENCE)
            report = rehearsal.report()
            address = {one.ref: one.address for one in report.taken}
            assert {row.ref for row in inbox.stored_receipts} == report.delivered | set(report.failed)
            return (
                {addresses[outcome.key.ordinal - 1] for outcome in outcomes if isinstance(outcome, Rejected)},
                {address[ref] for ref in report.failed},
                {address[ref] for ref in report.delivered},
            )

    first, again = await fates(tmp_path / "1", 7), await fates(tmp_path / "2", 7)
    assert first == again
    assert all(first), "each fate met somebody"
    assert await fates(tmp_path / "3", 8) != first


async def test_an_account_never_exceeds_its_rate_whatever_the_connections(tmp_path: Path) -> None:
    script = Script(sms=Behaviour(rate=100, answer=Delay(), receipt=Delay()))
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path, script) as rehearsal:
        gateway = rehearsal.gateway(Medium.SMS, rate=100)
        async with signed_in(gateway, inbox) as one, signed_in(gateway, inbox) as other:
            batch = envelopes(phones(400), WARNING)
            outcomes = [
                outcome
                for part in await asyncio.gather(send(one, batch[:200]), send(other, batch[200:]))
                for outcome in part
            ]
            throttled = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
            assert len(throttled) + sum(isinstance(outcome, Accepted) for outcome in outcomes) == 400
            assert all(0 < outcome.after <= 1 for outcome in throttled)
            counts = (await rehearsal.client.stats())[gateway.name]
            assert (counts.connections, counts.throttled) == (2, len(throttled))
        assert rehearsal.report().peak_rates()[gateway.name] <= 100


async def test_receipts_come_twice_early_from_nowhere_or_never_as_the_script_says(tmp_path: Path) -> None:
    script = Script(
        pace=0.01,
        sms=at_once(duplicate=1.0),
        wechat=at_once(early=1.0, answer=Delay(median=20)),
        email=at_once(stray=1.0),
        voice=at_once(loss=1.0),
    )
    async with RehearsalProcess(tmp_path, script) as rehearsal:

        async def told(channel: Medium, address: str, receipts: int) -> tuple[MemoryInbox, Accepted, int]:
            inbox = MemoryInbox()
            async with signed_in(rehearsal.gateway(channel, rate=100), inbox) as driver:
                before = 0
                async for outcome in driver.send(envelopes([address], WARNING)):
                    assert isinstance(outcome, Accepted)
                    accepted, before = outcome, len(inbox.stored_receipts)
                await inbox.until(lambda: len(inbox.stored_receipts) >= receipts, PATIENCE)
            return inbox, accepted, before

        inbox, accepted, _ = await told(Medium.SMS, phones(1)[0], 2)
        assert [(row.ref, row.key) for row in inbox.stored_receipts] == [(accepted.ref, accepted.key)] * 2
        inbox, accepted, before = await told(Medium.WECHAT, "openid-000001", 1)
        assert (before, inbox.stored_receipts[0].ref) == (1, accepted.ref)
        inbox, accepted, _ = await told(Medium.EMAIL, "a@example.org", 2)
        assert [row.key for row in inbox.stored_receipts if row.ref != accepted.ref] == [None]
        inbox, _, _ = await told(Medium.VOICE, phones(1)[0], 0)
        counts = await rehearsal.client.total()
        assert (counts.accepted, counts.receipts_sent) == (4, 5)


@pytest.mark.parametrize("names", ["ref", "key"])
async def test_a_receipt_may_name_its_message_in_one_way_only(tmp_path: Path, names: str) -> None:
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path, Script(sms=at_once(receipt_names=names))) as rehearsal:
        async with signed_in(rehearsal.gateway(Medium.SMS, rate=100), inbox) as driver:
            (outcome,) = await send(driver, envelopes(phones(1), WARNING))
            assert isinstance(outcome, Accepted)
            await inbox.until(lambda: bool(inbox.stored_receipts), PATIENCE)
    (receipt,) = inbox.stored_receipts
    assert (receipt.ref, receipt.key) == ((outcome.ref, None) if names == "ref" else ("", outcome.key))


async def test_what_a_lost_client_did_not_store_goes_to_the_next(tmp_path: Path) -> None:
    async with RehearsalProcess(tmp_path, Script(sms=AT_ONCE)) as rehearsal:
        gateway = rehearsal.gateway(Medium.SMS, rate=100, answer_timeout=3.0)
        first, second = MemoryInbox(), MemoryInbox()
        first.hold()
        async with signed_in(gateway, first) as driver:
            await send(driver, envelopes(phones(20), WARNING))
            await rehearsal.client.say(gateway.name, phones(1)[0], "收到")
            await first.until(lambda: first.attempts > 0, PATIENCE)
            await rehearsal.client.cut(gateway.name)
        async with signed_in(gateway, second):
            await second.until(
                lambda: len(second.keys()) == 20 and [reply.text for reply in second.stored_replies] == ["收到"],
                PATIENCE,
            )
        assert first.stored_receipts == []
        assert (await rehearsal.client.total()).lost_connections == 1


async def test_duty_holders_confirm_with_the_code_or_without_or_stay_silent(tmp_path: Path) -> None:
    duty = Duty(silent=0.3, after=Delay(median=0.01), texts={"1": 1, "收到": 1}, with_code=0.5)
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path, Script(seed=3, sms=at_once(duty=duty))) as rehearsal:
        gateway = rehearsal.gateway(Medium.SMS, rate=1000)
        async with signed_in(gateway, inbox) as driver:
            addresses = phones(100)
            asking = Message(f"请立即转移。{ASKING}")
            await send(driver, envelopes(addresses, asking))
            await inbox.until(lambda: len(inbox.stored_replies) > 50, PATIENCE)
            await send(driver, envelopes(addresses, asking, attempt=2))
            await send(driver, envelopes(addresses, WARNING, alert=2))
            await inbox.until(lambda: len(inbox.keys()) == 300, PATIENCE)
    texts = {reply.text for reply in inbox.stored_replies}
    answered = [reply.address for reply in inbox.stored_replies]
    assert texts == {"1", "收到", "1 27", "收到 27"}
    assert len(answered) == len(set(answered)), "nobody answers the same alert twice; nobody answers what asks nothing"
    assert 50 < len(answered) < 90
    assert len({reply.id for reply in inbox.stored_replies}) == len(answered)


async def test_residents_write_back_without_being_asked(tmp_path: Path) -> None:
    residents = Residents(share=1.0, after=Delay(), texts={"求助": 1})
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path, Script(wechat=at_once(residents=residents))) as rehearsal:
        async with signed_in(rehearsal.gateway(Medium.WECHAT, rate=1000), inbox) as driver:
            await send(driver, envelopes(["openid-000001"], WARNING))
            await inbox.until(lambda: [reply.text for reply in inbox.stored_replies] == ["求助"], PATIENCE)
    assert inbox.stored_replies[0].address == "openid-000001"


async def test_a_key_is_pressed_during_the_call_and_never_on_a_loudspeaker(tmp_path: Path) -> None:
    sound = tone(tmp_path)
    spoken = Message("请立即转移。收到请按一，需要帮助请按九。", audio=sound)
    duty = Duty(silent=0, after=Delay(median=3000))
    script = Script(voice=at_once(duty=duty), loudspeaker=at_once(duty=duty))
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path / "r", script) as rehearsal:
        async with (
            signed_in(rehearsal.gateway(Medium.LOUDSPEAKER, rate=10), inbox) as platform,
            signed_in(rehearsal.gateway(Medium.VOICE, rate=10), inbox) as carrier,
        ):
            await send(platform, envelopes(["tower-1"], spoken))
            await send(carrier, envelopes(phones(1), spoken, first=2))
            await inbox.until(lambda: len(inbox.stored_receipts) == 2 and bool(inbox.stored_replies), PATIENCE)
    assert [(reply.address, reply.text) for reply in inbox.stored_replies] == [(phones(1)[0], "1")]


async def test_who_confirms_by_the_link_presses_the_button_on_the_page(tmp_path: Path) -> None:
    pressed: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()

    async def page(request: web.Request) -> web.Response:
        form = (
            "<form method=post><input type=hidden name=seal value=s><button name=answer value=yes>收到</button></form>"
        )
        return web.Response(text=f"<!doctype html><html><body>{form}</body></html>", content_type="text/html")

    async def answer(request: web.Request) -> web.Response:
        fields = await request.post()
        await pressed.put((request.match_info["token"], {name: str(value) for name, value in fields.items()}))
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/r/{token}", page), web.post("/r/{token}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    duty = Duty(silent=0, after=Delay(), ways={"link": 1})
    try:
        async with RehearsalProcess(tmp_path, Script(sms=at_once(duty=duty))) as rehearsal:
            async with signed_in(rehearsal.gateway(Medium.SMS, rate=10), MemoryInbox()) as driver:
                text = Message(f"点开 http://127.0.0.1:{port}/r/abc。{ASKING}")
                await send(driver, envelopes(phones(1), text))
                async with asyncio.timeout(PATIENCE):
                    assert await pressed.get() == ("abc", {"seal": "s", "answer": "yes"})
            assert (await rehearsal.client.total()).replies_sent == 0
    finally:
        await runner.cleanup()


async def test_a_terminal_plays_only_what_it_can_hear(tmp_path: Path) -> None:
    good = tone(tmp_path, 1.0)
    noise = tmp_path / "noise.mp3"
    noise.write_bytes(b"this is no sound" * 50)
    files = {
        "good": good,
        "short": replace(tone(tmp_path, 0.4), seconds=5.0),
        "silent": tone(tmp_path, 0.6, level=0.0),
        "noise": Audio(noise, "audio/mpeg", 3.0, sha256(noise.read_bytes()).hexdigest()),
        "forged": replace(tone(tmp_path, 0.7), sha256="0" * 64),
    }
    missing = replace(good, path=tmp_path / "none.wav", sha256="1" * 64)
    inbox = MemoryInbox()
    async with RehearsalProcess(tmp_path / "r", Script(loudspeaker=AT_ONCE)) as rehearsal:
        async with signed_in(rehearsal.gateway(Medium.LOUDSPEAKER, rate=10), inbox) as driver:
            batch = [
                envelopes([name], Message("台风", audio=audio), first=number)[0]
                for number, (name, audio) in enumerate([*files.items(), ("missing", missing)], 1)
            ]
            outcomes = {outcome.key.ordinal: outcome for outcome in await send(driver, batch)}
            await inbox.until(lambda: len(inbox.keys()) == 5, PATIENCE)
        heard = rehearsal.report().audio
    assert isinstance(outcomes[6], Rejected)
    said = {receipt.key.ordinal: receipt for receipt in inbox.stored_receipts if receipt.key}
    assert said[1].evidence is Evidence.DELIVERED
    reasons = {name: said[number].reason for number, name in enumerate(files, 1)}
    assert "时长" in reasons["short"]
    assert "没有声音" in reasons["silent"]
    assert "解码" in reasons["noise"]
    assert "校验" in reasons["forged"]
    assert heard[good.sha256].seconds == pytest.approx(1.0, abs=0.05)


async def test_playing_takes_the_time_that_the_file_is_long(tmp_path: Path) -> None:
    sound = tone(tmp_path, 0.5)
    async with RehearsalProcess(tmp_path / "r", Script(loudspeaker=at_once(play=1.0))) as rehearsal:
        inbox = MemoryInbox()
        async with signed_in(rehearsal.gateway(Medium.LOUDSPEAKER, rate=10), inbox) as driver:
            await send(driver, envelopes(["tower"], Message("台风", audio=sound)))
            await inbox.until(lambda: bool(inbox.stored_receipts), PATIENCE)
        taken = rehearsal.report().taken[0]
    assert inbox.stored_receipts[0].at.timestamp() - taken.at >= 0.45


async def test_the_record_outlives_the_rehearsals_own_sigkill(tmp_path: Path) -> None:
    async with RehearsalProcess(tmp_path, Script(sms=AT_ONCE)) as rehearsal:
        gateway = rehearsal.gateway(Medium.SMS, rate=1000)
        async with signed_in(gateway, MemoryInbox()) as driver:
            first = await send(driver, envelopes(phones(50), WARNING))
            rehearsal.kill()
        with pytest.raises(UnavailableError):
            await rehearsal.client.stats()
        await rehearsal.restart()
        async with signed_in(gateway, MemoryInbox()) as driver:
            second = await send(driver, envelopes(phones(50), WARNING, attempt=2))
        report = rehearsal.report()
    assert (report.accepted, report.distinct, report.duplicates) == (100, 50, 50)
    refs = [outcome.ref for outcome in [*first, *second] if isinstance(outcome, Accepted)]
    assert len(set(refs)) == 100, "message ids are never given twice"
    assert [one.attempt for one in report.sequences()[phones(1)[0]]] == [1, 2]


CLIENT = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from broadcaster.ports import DeliveryKey, Envelope, GatewaySettings, Medium, Message
from broadcaster.registry import Registry
from broadcaster.testing import MemoryInbox, MemoryJournal

async def main():
    options = {"address": sys.argv[1], "window": 100}
    gateway = GatewaySettings("crash", Medium.SMS, "rehearsal", rate=1e5, options=options)
    driver = Registry.installed().plugin(Medium.SMS, "rehearsal").build(gateway, MemoryJournal())
    await driver.open(MemoryInbox())
    expires = datetime.now(UTC) + timedelta(hours=1)
    batch = [Envelope(DeliveryKey(1, n, 1), f"138{n:08d}", Message("x"), 0, expires) for n in range(1, 100_000)]
    async for outcome in driver.send(batch):
        print(outcome.key.ordinal, flush=True)

asyncio.run(main())
"""


async def test_the_record_outlives_the_clients_sigkill_and_tells_what_was_in_flight(tmp_path: Path) -> None:
    async with RehearsalProcess(tmp_path, Script(sms=AT_ONCE)) as rehearsal:
        await rehearsal.client.behave(Medium.SMS, answer=Delay(median=0.02))
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, rehearsal.address, stdout=asyncio.subprocess.PIPE
        )
        assert client.stdout is not None
        async with asyncio.timeout(PATIENCE):
            answered = [int(await client.stdout.readline()) for _ in range(300)]
        os.kill(client.pid, signal.SIGKILL)
        answered += [int(line) for line in (await client.stdout.read()).split(b"\n")[:-1]]
        await client.wait()
        async with asyncio.timeout(PATIENCE):
            while not (counts := (await rehearsal.client.stats())["crash"]).lost_connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        report = rehearsal.report()
    taken = {one.ordinal for one in report.taken}
    assert set(answered) <= taken, "what the client was told is on record"
    assert report.in_flight_lost == counts.in_flight_lost <= 100


async def test_a_sign_in_that_hangs_is_unavailable(tmp_path: Path) -> None:
    async with RehearsalProcess(tmp_path, Script(sms=Behaviour(faults=Faults(hang=1)))) as rehearsal:
        with pytest.raises(UnavailableError, match="did not let"):
            async with signed_in(rehearsal.gateway(Medium.SMS, rate=1, connect_timeout=0.2), MemoryInbox()):
                pass


async def test_wrong_password_and_too_many_connections_are_refused_with_the_reason(tmp_path: Path) -> None:
    script = Script(sms=Behaviour(connections=1), accounts={"bank": Account(password="right")})
    async with RehearsalProcess(tmp_path, script) as rehearsal:
        with pytest.raises(UnavailableError, match="wrong password"):
            async with signed_in(rehearsal.gateway(Medium.SMS, rate=1, name="bank", password="left"), MemoryInbox()):
                pass
        gateway = rehearsal.gateway(Medium.SMS, rate=1, name="bank", password="right")
        async with signed_in(gateway, MemoryInbox()):
            with pytest.raises(UnavailableError, match="too many connections"):
                async with signed_in(gateway, MemoryInbox()):
                    pass
        with pytest.raises(UnavailableError, match="account is for sms"):
            async with signed_in(replace(gateway, channel=Medium.EMAIL), MemoryInbox()):
                pass


async def test_the_director_is_told_what_cannot_be_done(tmp_path: Path) -> None:
    async with RehearsalProcess(tmp_path) as rehearsal:
        with pytest.raises(InputError, match="nobody"):
            await rehearsal.client.say("nobody", "1", "收到")
        with pytest.raises(InputError, match="loss"):
            await rehearsal.client.behave(Medium.SMS, loss=2)
        assert await rehearsal.client.cut() == 0
        assert await rehearsal.client.stats() == {}


@pytest.mark.parametrize(
    "data", [b"\xff" * 64, b"\x00\x00\x00\x02hi", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x01\xc0"]
)
async def test_garbage_from_a_client_ends_its_connection_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    async with RehearsalProcess(tmp_path) as rehearsal:
        reader, writer = await asyncio.open_unix_connection(rehearsal.address.removeprefix("unix:"))
        writer.write(data)
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                await reader.read()
        writer.close()
        assert await rehearsal.client.stats() == {}


async def test_it_also_listens_on_tcp(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broadcaster.rehearsal", "--listen", "tcp:127.0.0.1:0", "--log", str(tmp_path / "log"),
        "--option", "sms.receipt.median=0", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready = (await process.stdout.readline()).decode().split()
        gateway = GatewaySettings("tcp", Medium.SMS, "rehearsal", rate=10, options={"address": ready[1]})
        inbox = MemoryInbox()
        async with signed_in(gateway, inbox) as driver:
            await send(driver, envelopes(phones(3), WARNING))
            await inbox.until(lambda: len(inbox.keys()) == 3, PATIENCE)
    finally:
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "here"], "unix:/路径"),
        (["--listen", "unix:/no/such/folder/r.sock"], "No such file"),
        (["--listen", "tcp:127.0.0.1:0", "--option", "sms.loss=much"], "sms.loss"),
        (["--listen", "tcp:127.0.0.1:0", "--config", "/no/such/file.json"], "file.json"),
    ],
)
async def test_a_wrong_start_ends_with_2_and_says_why(tmp_path: Path, arguments: list[str], said: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broadcaster.rehearsal", *arguments, "--log", str(tmp_path / "log"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, error = await process.communicate()
    assert process.returncode == 2
    assert said in error.decode()


async def test_a_rehearsal_that_cannot_start_says_why(tmp_path: Path) -> None:
    rehearsal = RehearsalProcess(tmp_path)
    rehearsal.address = "unix:/no/such/folder/r.sock"
    with pytest.raises(UnavailableError, match="No such file"):
        await rehearsal.start()
    await rehearsal.stop()


async def test_a_folder_with_a_long_name_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("深" * 40)
    async with RehearsalProcess(folder) as rehearsal:
        assert await rehearsal.client.stats() == {}
