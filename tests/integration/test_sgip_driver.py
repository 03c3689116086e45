"""SGIP's own: the gateway opens connections to us. Who is let in, where its reports go, whose port it is."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from broadcaster.ports import Accepted, DeliveryKey, Driver, Evidence
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.sms.parts import parts
from channels.sms.session import door
from tests.contract.carrier_peer import SGIP, settings
from tests.harness.carrier_gateway import SECRET, USER
from tests.harness.sgip_gateway import HEADER, SgipGateway, SgipSession, Visit, bind
from tests.harness.waiting import wait_until
from tests.integration.test_carrier_drivers import LONG, PHONE, connected, envelope, outcomes

ROOT = Path(__file__).parents[2]
REPORT = struct.pack(">12sB21sBB8x", bytes(12), 0, PHONE.encode(), 0, 0)


async def said_to(port: int, frame: bytes) -> bytes:
    """What the enterprise answers to `frame` before it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame)
    try:
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def refused(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


@pytest.mark.parametrize(
    ("kind", "user", "password", "result"),
    [(2, USER, "guessed", 1), (2, "somebody", SECRET, 1), (2, USER, "", 1), (1, USER, SECRET, 4)],
)
async def test_a_forged_sign_in_is_refused_and_what_comes_with_it_is_not_believed(
    kind: int, user: str, password: str, result: int
) -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (_, inbox, journal):
        number = struct.pack(">III", 1, 2, 3)
        forged = bind(kind, user, password, number) + HEADER.pack(20 + len(REPORT), 5, number) + REPORT
        answer = await said_to(gateway.theirs, forged)
        assert answer == HEADER.pack(29, 0x80000001, number) + struct.pack(">B8x", result)
        assert inbox.attempts == 0
        assert any("not let in" in line for line in journal.lines)
        assert not any(SECRET in line or "guessed" in line for line in journal.lines)


@pytest.mark.parametrize(
    "frame",
    [
        HEADER.pack(20 + len(REPORT), 5, bytes(12)) + REPORT,
        HEADER.pack(29, 0x80000003, bytes(12)) + bytes(9),
        struct.pack(">I", 4000) + bytes(200),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["a report", "an answer", "a long frame", "another protocol"],
)
async def test_before_a_sign_in_nothing_else_is_heard(frame: bytes) -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (_, inbox, _):
        assert await said_to(gateway.theirs, frame) == b""
        assert inbox.attempts == 0


async def test_whoever_comes_from_elsewhere_is_turned_away_at_once() -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway, allow=["10.0.0.0/8"]) as (driver, _, journal):
        assert await said_to(gateway.theirs, bind(2, USER, SECRET)) == b""
        assert any("not an allowed address" in line for line in journal.lines)
        assert isinstance((await outcomes(driver, [envelope(1, "短")]))[0], Accepted)


async def test_strangers_who_say_nothing_do_not_keep_the_gateway_out() -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (driver, inbox, _):
        strangers = [await asyncio.open_connection("127.0.0.1", gateway.theirs) for _ in range(50)]
        await outcomes(driver, [envelope(1, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        gone = [one for one in strangers if one[0].at_eof() or await _ended(one[0])]
        assert len(gone) >= 50 - door.MOST_STRANGERS
        for _, writer in strangers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _ended(reader: asyncio.StreamReader) -> bool:
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.01):
            return await reader.read() == b""
    return False


async def test_more_connections_than_there_is_room_for_are_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_GUESTS", 2)
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (_, _, journal):
        guests = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.theirs)
            writer.write(bind(2, USER, SECRET))
            assert (await reader.readexactly(29))[20] == 0
            guests.append(writer)
        assert await said_to(gateway.theirs, bind(2, USER, SECRET)) == b""
        assert any("more than 2 connections" in line for line in journal.lines)
        for writer in guests:
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        HEADER.pack(29, 0x80000003, bytes(12)) + bytes(9),
        HEADER.pack(20, 5, bytes(12)),
    ],
    ids=["another protocol", "an answer to nothing", "half a report"],
)
async def test_nonsense_on_the_gateways_connection_ends_that_and_nothing_else(nonsense: bytes) -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (driver, inbox, _):
        welcome = await said_to(gateway.theirs, bind(2, USER, SECRET) + nonsense)
        assert welcome == HEADER.pack(29, 0x80000001, bytes(12)) + bytes(9)
        await outcomes(driver, [envelope(1, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)


async def test_an_address_that_is_not_this_machines_is_told_and_messages_go_out_all_the_same() -> None:
    async with SgipGateway(report="") as gateway:
        async with connected(SGIP, gateway, listen="192.0.2.1:8801") as (driver, _, journal):
            assert any("cannot listen on port 8801" in line for line in journal.lines)
            assert isinstance((await outcomes(driver, [envelope(1, "短")]))[0], Accepted)


async def test_a_gateway_may_open_a_connection_for_every_single_report() -> None:
    async with SgipGateway(per_message=True) as gateway, connected(SGIP, gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, LONG), envelope(2, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) == 2)
        await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}
        assert {one.evidence for one in inbox.stored_receipts} == {Evidence.DELIVERED}


async def test_a_reply_whose_parts_come_on_different_connections_is_one() -> None:
    async with SgipGateway(per_message=True) as gateway, connected(SGIP, gateway) as (_, inbox, _):
        for part in parts(LONG, 9):
            gateway.say("86" + PHONE, part.content, headed=1)
        await inbox.until(lambda: len(inbox.stored_replies) > 0)
        await wait_until(lambda: not gateway.unacknowledged, what="all parts acknowledged")
        assert [(one.address, one.text) for one in inbox.stored_replies] == [(PHONE, LONG)]


async def test_slots_share_one_listener_and_no_two_messages_an_id() -> None:
    async with SgipGateway() as gateway:
        same, inbox, journal = settings(SGIP, gateway), MemoryInbox(), MemoryJournal()
        slots = [SGIP.plugin.build(same, journal) for _ in range(3)]
        await asyncio.gather(*(slot.open(inbox) for slot in slots))
        batches = [[envelope(100 * slot + one, "短") for one in range(50)] for slot in range(3)]
        await asyncio.gather(*(outcomes(slot, batch) for slot, batch in zip(slots, batches, strict=True)))
        await inbox.until(lambda: len(inbox.refs()) == 150)
        assert sum("listening" in line for line in journal.lines) == 1
        assert len(set(gateway.numbers)) == 150
        assert {number[:4] for number in gateway.numbers} == {(3_010_001_234).to_bytes(4)}
        for slot in slots:
            await slot.close()


async def test_while_a_slot_remains_reports_about_the_others_messages_come_in() -> None:
    async with SgipGateway() as gateway:
        same, inbox, journal = settings(SGIP, gateway), MemoryInbox(), MemoryJournal()
        first, second = SGIP.plugin.build(same, journal), SGIP.plugin.build(same, journal)
        await first.open(inbox)
        await second.open(inbox)
        (accepted,) = await outcomes(first, [envelope(1, "短")])
        assert isinstance(accepted, Accepted)
        await inbox.until(lambda: len(inbox.stored_receipts) == 1)
        await first.close()
        gateway.report_on(accepted.ref, PHONE, "UNDELIV")
        await inbox.until(lambda: len(inbox.stored_receipts) == 2)
        await second.close()
        assert await refused(gateway.theirs)


async def test_reports_are_taken_for_a_while_after_our_own_connection_is_gone() -> None:
    async with SgipGateway() as gateway:
        async with connected(SGIP, gateway, linger=0.5) as (driver, inbox, _):
            (accepted,) = await outcomes(driver, [envelope(1, "短")])
            await inbox.until(lambda: len(inbox.stored_receipts) == 1)
        assert isinstance(accepted, Accepted)
        gateway.report_on(accepted.ref, PHONE, "UNDELIV")
        await inbox.until(lambda: len(inbox.stored_receipts) == 2)
        await wait_until(lambda: not gateway.unacknowledged, what="the report acknowledged")

        async def closed() -> bool:
            return await refused(gateway.theirs)

        await wait_until(closed, what="the port given back")


async def test_a_gateway_that_lets_nobody_in_can_still_bring_its_reports() -> None:
    async with SgipGateway() as gateway:
        inbox = MemoryInbox()
        same = settings(SGIP, gateway, linger=1)
        driver: Driver = SGIP.plugin.build(same, MemoryJournal())
        await driver.open(inbox)
        await driver.close()
        gateway.report_on("00" * 12, PHONE, "DELIVRD")
        await inbox.until(lambda: len(inbox.stored_receipts) == 1)
        await driver.open(inbox)  # within the while: the same listener goes on
        gateway.report_on("11" * 12, PHONE, "DELIVRD")
        await inbox.until(lambda: len(inbox.stored_receipts) == 2)
        await driver.close()

        async def closed() -> bool:
            return await refused(gateway.theirs)

        await wait_until(closed, what="the port given back")


async def test_lost_is_said_of_our_own_connection_and_not_of_the_gateways() -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        lost = asyncio.create_task(driver.lost())  # type: ignore[attr-defined]
        for session in gateway.sessions:
            if isinstance(session, Visit):
                session.writer.transport.abort()
        gateway.say(PHONE, "还在".encode("utf-16-be"))
        await inbox.until(lambda: len(inbox.stored_replies) > 0)
        assert not lost.done()
        ours = next(one for one in gateway.sessions if type(one) is SgipSession)
        ours.write(2, gateway.number(), b"")
        async with asyncio.timeout(60):
            assert "good-bye" in await lost


async def test_a_port_that_a_process_of_ours_has_is_left_to_it_and_taken_over_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "RETRY", 0.1)
    async with SgipGateway() as gateway:
        words = ("-m", "tests.harness.sgip_worker", str(gateway.port), str(gateway.theirs))
        other = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE, cwd=ROOT)
        assert other.stdout is not None
        assert await other.stdout.readline() == b"open\n"
        async with connected(SGIP, gateway) as (driver, inbox, journal):
            assert any("another process of ours" in line for line in journal.lines)
            (accepted,) = await outcomes(driver, [envelope(1, "短")])
            assert isinstance(accepted, Accepted)
            await wait_until(lambda: not gateway.unacknowledged, what="the other process to take the report")
            assert inbox.stored_receipts == []
            other.kill()
            await other.wait()
            await wait_until(lambda: any("listening" in line for line in journal.lines), what="the port taken over")
            gateway.report_on(accepted.ref, PHONE, "DELIVRD")
            await inbox.until(lambda: len(inbox.stored_receipts) == 1)


async def test_two_gateways_that_are_given_one_port_are_told_apart_from_two_processes() -> None:
    async with SgipGateway() as gateway, connected(SGIP, gateway), connected(SGIP, gateway) as (_, _, journal):
        assert any("another gateway's in these settings" in line for line in journal.lines)


async def test_a_port_that_another_program_has_is_told_and_messages_go_out_all_the_same() -> None:
    async with SgipGateway() as gateway:
        with socket.create_server(("127.0.0.1", gateway.theirs)):
            async with connected(SGIP, gateway) as (driver, _, journal):
                assert any("another program" in line for line in journal.lines)
                gateway.report = ""
                assert isinstance((await outcomes(driver, [envelope(1, "短")]))[0], Accepted)
