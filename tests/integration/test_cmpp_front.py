"""The rehearsal as a CMPP gateway, against a client that was written from the tables, in both versions."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, DeliveryKey, Envelope, Medium, Message
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Account, Behaviour, CarrierFront, Delay, Duty, Faults, Fronts, Script
from broadcaster.testing import MemoryInbox, MemoryJournal
from tests.harness.cmpp_client import SOURCE, CmppClient, Delivered

AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=0.2)
BANK = {"bank": Account(password="secret")}
BOTH = pytest.mark.parametrize("third", [False, True], ids=["2.0", "3.0"])


def at_once(**changes: object) -> Behaviour:
    return msgspec.structs.replace(AT_ONCE, **changes)


@asynccontextmanager
async def carrier(folder: Path, behaviour: Behaviour = AT_ONCE, **front: object) -> AsyncIterator[RehearsalProcess]:
    fronts = Fronts(cmpp=msgspec.convert(front, CarrierFront))
    async with RehearsalProcess(folder, Script(sms=behaviour, accounts=BANK, fronts=fronts)) as rehearsal:
        yield rehearsal


@asynccontextmanager
async def signed_in(rehearsal: RehearsalProcess, *, third: bool = False) -> AsyncIterator[CmppClient]:
    async with CmppClient(rehearsal.fronts["cmpp"].port, third=third) as client:
        assert (await client.sign_in(b"bank", b"secret"))[0] == 0
        yield client


def ucs2(text: str) -> bytes:
    return text.encode("utf-16-be")


@BOTH
async def test_the_gateway_shows_that_it_knows_the_secret_too(tmp_path: Path, third: bool) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with CmppClient(rehearsal.fronts["cmpp"].port, third=third) as client:
            status, proof, version = await client.sign_in(b"bank", b"secret")
    assert (status, version) == (0, 0x30 if third else 0x20)
    assert proof == hashlib.md5(bytes(4 if third else 1) + client.proof + b"secret").digest()


@BOTH
@pytest.mark.parametrize(("secret", "version", "status"), [(b"wrong", 0, 3), (b"secret", 0x40, 4)])
async def test_whoever_does_not_fit_is_told_why_and_hung_up_on(
    tmp_path: Path, third: bool, secret: bytes, version: int, status: int
) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with CmppClient(rehearsal.fronts["cmpp"].port, third=third or version > 0x30, version=version) as client:
            assert (await client.sign_in(b"bank", secret))[0] == status
            with pytest.raises(asyncio.IncompleteReadError):
                await client.read()


@BOTH
async def test_a_message_is_answered_reported_and_recorded(tmp_path: Path, third: bool) -> None:
    async with carrier(tmp_path, at_once(failures={"UNDELIV": 1.0})) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            number, result = await client.submitted(client.submit("13800000001", ucs2("台风红色预警")))
            report = await client.delivered()
            client.acknowledge(report)
            await stored(rehearsal, receipts=1)
        found = rehearsal.report()
    assert result == 0
    assert (report.report, report.about, report.status) == (1, number, "UNDELIV")
    assert (report.to, report.source) == (SOURCE.decode(), "13800000001")
    (one,) = found.taken
    assert (one.address, one.ref, one.channel, one.alert) == ("13800000001", f"{number:016x}", "sms", 0)
    assert found.texts[one.text_hash] == "台风红色预警"
    assert found.failed == {one.ref: "UNDELIV"}
    assert found.acknowledged_receipts == {one.ref}


@BOTH
async def test_a_message_in_parts_is_one_message_and_each_part_is_reported(tmp_path: Path, third: bool) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            parts = ["请立即转移，", "到安置点，", "不要返回。"]
            headers = [bytes([5, 0, 3, 77, 3, number]) for number in (1, 2, 3)]
            sent = [
                client.submit("13800000001", header + ucs2(part), headed=1)
                for header, part in [*zip(headers, parts, strict=True)][::-1]
            ]
            answers = [await client.submitted(sequence) for sequence in sent]
            reports = [await client.delivered() for _ in parts]
        (one,) = rehearsal.report().taken
        texts = rehearsal.report().texts
    assert [result for _, result in answers] == [0, 0, 0]
    assert {report.about for report in reports} == {number for number, _ in answers}
    assert texts[one.text_hash] == "请立即转移，到安置点，不要返回。"


async def test_texts_are_read_in_every_coding(tmp_path: Path) -> None:
    contents = [(ucs2("台风"), 8), ("台风".encode("gbk"), 15), (b"typhoon", 0)]
    async with carrier(tmp_path) as rehearsal:
        async with signed_in(rehearsal) as client:
            for content, coding in contents:
                await client.submitted(client.submit("13800000001", content, coding=coding, wanted=0))
        assert set(rehearsal.report().texts.values()) == {"台风", "typhoon"}
        assert (await rehearsal.client.total()).receipts_sent == 0, "none was wanted"


async def test_a_rate_is_kept_and_what_exceeds_it_is_flow_control(tmp_path: Path) -> None:
    async with carrier(tmp_path, at_once(rate=5)) as rehearsal:
        async with signed_in(rehearsal) as client:
            sent = [client.submit(f"1380000{number:04d}", ucs2("台风"), wanted=0) for number in range(8)]
            results = [(await client.submitted(sequence))[1] for sequence in sent]
            bad = await client.submitted(client.submit("12", ucs2("台风")))
    assert (results.count(0), results.count(8)) == (5, 3)
    assert bad[1] in (8, 13)


@BOTH
async def test_no_more_than_the_window_is_on_its_way_and_what_is_not_taken_comes_again(
    tmp_path: Path, third: bool
) -> None:
    async with carrier(tmp_path, at_once(redeliver_after=0.5), window=4) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            for number in range(10):
                await client.submitted(client.submit(f"1380000{number:04d}", ucs2("台风")))
            first = [await client.delivered() for _ in range(4)]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.delivered()
            client.acknowledge(first[0], result=9)
            for one in first[1:]:
                client.acknowledge(one)
            seen: list[Delivered] = []
            while {one.about for one in seen} | {one.about for one in first[1:]} != await refs(rehearsal, 10):
                seen.append(await client.delivered())
                client.acknowledge(seen[-1])
            await stored(rehearsal, receipts=10)
            stored_first = {one.about for one in first[1:]}
            counts = await rehearsal.client.total()
    assert first[0].about in {one.about for one in seen}, "it was not taken"
    assert stored_first.isdisjoint({one.about for one in seen}), "what was taken does not come again"
    assert counts.receipts_waiting == 0


async def test_a_report_may_overtake_the_answer(tmp_path: Path) -> None:
    async with carrier(tmp_path, at_once(early=1.0)) as rehearsal:
        async with signed_in(rehearsal) as client:
            sequence = client.submit("13800000001", ucs2("台风"))
            report = await client.delivered()
            number, _ = await client.submitted(sequence)
    assert report.about == number


@BOTH
async def test_people_write_back_and_long_words_come_in_parts(tmp_path: Path, third: bool) -> None:
    duty = Duty(silent=0, after=Delay(), texts={"收到": 1}, with_code=1)
    async with carrier(tmp_path, at_once(duty=duty)) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            asking = ucs2("请立即转移。收到请回复“1”（多条时回复“1 27”）")
            await client.submitted(client.submit("13800000001", asking, wanted=0))
            reply = await client.delivered()
            client.acknowledge(reply)
            said = await rehearsal.client.say("bank", "13800000002", "求助" * 50)
            pieces = [await client.delivered() for _ in range(2)]
            client.acknowledge(pieces[1])
            assert (await rehearsal.client.total()).replies_waiting == 1, "half of it is not taken yet"
            client.acknowledge(pieces[0])
            await stored(rehearsal, replies=2)
        assert set(rehearsal.report().acknowledged_replies) == {f"{reply.number:016x}", said}
    assert (reply.report, reply.source, reply.content.decode("utf-16-be")) == (0, "13800000001", "收到 27")
    assert [piece.headed for piece in pieces] == [1, 1]
    assert "".join(piece.content[6:].decode("utf-16-be") for piece in pieces) == "求助" * 50


@BOTH
async def test_signs_of_life_are_given_and_asked_for(tmp_path: Path, third: bool) -> None:
    async with carrier(tmp_path, heartbeat=0.5) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            assert await client.answer(8, client.write(8, b"")) == b"\0"
            for _ in range(3):
                asked = await client.read()
                assert (asked.command, asked.body) == (8, b"")
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await client.read()
        assert "no sign of life" in rehearsal.report().losses[0].reason


@BOTH
async def test_a_good_bye_is_answered_when_everything_is(tmp_path: Path, third: bool) -> None:
    async with carrier(tmp_path, at_once(answer=Delay(median=0.05))) as rehearsal:
        async with signed_in(rehearsal, third=third) as client:
            submitted = client.submit("13800000001", ucs2("台风"), wanted=0)
            bye = client.write(2, b"")
            assert await client.answer(2, bye) == b""
            assert (await client.read()).sequence == submitted, "the answer came before"
        assert rehearsal.report().losses == []


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 64, b"\0\0\0\x0c\0\0\0\x04\0\0\0\x01", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x20\0\0\0\x01" + bytes(24)],
)
async def test_garbage_ends_its_connection_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with signed_in(rehearsal) as neighbour:
            async with CmppClient(rehearsal.fronts["cmpp"].port, third=False) as client:
                client.writer.write(data)
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await client.read()
            assert (await neighbour.submitted(neighbour.submit("13800000001", ucs2("台风"))))[1] == 0


async def test_a_torn_submit_is_a_protocol_error_of_the_account(tmp_path: Path) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with signed_in(rehearsal) as client:
            client.write(4, bytes(40))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await client.read()
        assert (await rehearsal.client.total()).protocol_errors == 1


async def test_the_carrier_hangs_and_then_says_what_it_owes(tmp_path: Path) -> None:
    async with carrier(tmp_path, at_once(faults=Faults(hang_after=1, hang_for=1))) as rehearsal:
        async with signed_in(rehearsal) as client:
            sent = [client.submit("13800000001", ucs2(f"台风{number}")) for number in range(2)]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.read()
            for sequence in sent:
                assert (await client.submitted(sequence))[1] == 0
            assert {(await client.delivered()).report for _ in range(2)} == {1}


async def test_an_account_is_of_one_protocol(tmp_path: Path) -> None:
    async with carrier(tmp_path) as rehearsal:
        async with signed_in(rehearsal):
            gateway = rehearsal.gateway(Medium.SMS, rate=1, name="bank", password="secret")
            driver = Registry.installed().plugin(Medium.SMS, "rehearsal").build(gateway, MemoryJournal())
            with pytest.raises(UnavailableError, match="speaks cmpp"):
                await driver.open(MemoryInbox())


async def refs(rehearsal: RehearsalProcess, count: int) -> set[int]:
    found = {int(one.ref, 16) for one in rehearsal.report().taken}
    assert len(found) == count
    return found


async def stored(rehearsal: RehearsalProcess, *, receipts: int = 0, replies: int = 0) -> None:
    """Return when the rehearsal knows that so much is stored."""
    async with asyncio.timeout(60):
        while True:
            counts = await rehearsal.client.total()
            if counts.receipts_acknowledged >= receipts and counts.replies_acknowledged >= replies:
                return
            await asyncio.sleep(0.01)


@dataclass
class Told:
    """What our driver learned of ten messages: the ids that answers gave, and those that receipts named."""

    accepted: dict[str, str]
    receipts: list[str]


async def told(rehearsal: RehearsalProcess, receipts: int, driver: str = "cmpp") -> Told:
    inbox = MemoryInbox()
    gateway = rehearsal.gateway(Medium.SMS, rate=1000, driver=driver)
    speaking = Registry.installed().plugin(Medium.SMS, driver).build(gateway, MemoryJournal())
    await speaking.open(inbox)
    expires = datetime.now(UTC) + timedelta(hours=1)
    batch = [
        Envelope(DeliveryKey(1, number, 1), f"1380000{number:04d}", Message(f"台风{number}" * 40), 0, expires)
        for number in range(10)
    ]
    addresses = {envelope.key: envelope.address for envelope in batch}
    accepted = {}
    async for outcome in speaking.send(batch):
        assert isinstance(outcome, Accepted)
        accepted[addresses[outcome.key]] = outcome.ref
    await inbox.until(lambda: len(inbox.stored_receipts) >= receipts)
    await speaking.close()
    return Told(accepted, [receipt.ref for receipt in inbox.stored_receipts])


@pytest.mark.parametrize("protocol", ["cmpp", "smpp"])
async def test_what_the_script_says_of_receipts_holds_over_the_wire(tmp_path: Path, protocol: str) -> None:
    fronts = Fronts(cmpp=CarrierFront(), smpp=CarrierFront())
    script = Script(seed=3, pace=0.1, sms=at_once(stray=1.0, faults=Faults(shuffle=1)), fronts=fronts)
    async with RehearsalProcess(tmp_path, script) as rehearsal:
        strayed = await told(rehearsal, 20, protocol)
        await rehearsal.client.behave(Medium.SMS, stray=0, early=1)
        early = await told(rehearsal, 10, protocol)
        await rehearsal.client.behave(Medium.SMS, early=0, loss=1)
        lost = await told(rehearsal, 0, protocol)
        report = rehearsal.report()
    refs = {one.address: one.ref for one in report.taken[:10]}
    parts = {one.ref: report.joined[one.ref] for one in report.taken}
    for address, ref in strayed.accepted.items():
        assert 0 <= int(refs[address], 16) - int(ref, 16) < parts[refs[address]], "the id is that of one of its parts"
    assert len(set(strayed.receipts) - set(strayed.accepted.values())) == 10, "receipts about nothing that was sent"
    assert set(early.receipts) == set(early.accepted.values())
    assert lost.receipts == []
    report.name({ref: (1, number, 1) for number, ref in enumerate(strayed.accepted.values())})
    assert report.unnamed == 0, "the same texts went to the same readers three times"
