"""The rehearsal as a short message centre, against two clients that others wrote: npm's `smpp` and Python's smpplib."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from smpplib import consts
from smpplib.client import Client
from smpplib.exceptions import PDUError

from broadcaster.ports import Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Account, Behaviour, CarrierFront, Delay, Fronts, Script
from tests.harness.smsc import Esme

AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=0.3)
LONG = "请立即转移到安置点，不要返回。" * 6


def at_once(**changes: object) -> Behaviour:
    return msgspec.structs.replace(AT_ONCE, **changes)


@asynccontextmanager
async def centre(folder: Path, behaviour: Behaviour = AT_ONCE) -> AsyncIterator[RehearsalProcess]:
    script = Script(sms=behaviour, accounts={"county": Account(password="s3cret")}, fronts=Fronts(smpp=CarrierFront()))
    async with RehearsalProcess(folder, script) as rehearsal:
        yield rehearsal


@asynccontextmanager
async def npm(rehearsal: RehearsalProcess, password: str = "s3cret") -> AsyncIterator[tuple[Esme, int]]:
    """The npm client, and the status with which its bind was answered."""
    async with Esme() as esme:
        assert await esme.ask("connect", {"port": rehearsal.fronts["smpp"].port}) == "connected"
        yield esme, (await esme.ask("bind", {"user": "county", "password": password}))["status"]


async def delivered(esme: Esme, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while len(found := await esme.ask("delivered")) < count:  # noqa: ASYNC110 (it can only be asked)
            await asyncio.sleep(0.01)
    return list(found)


async def test_npms_client_is_let_in_with_the_password_and_answered(tmp_path: Path) -> None:
    async with centre(tmp_path) as rehearsal:
        async with npm(rehearsal) as (esme, status):
            assert status == 0
            assert (await esme.ask("alive"))["status"] == 0
            assert (await esme.ask("unbind"))["status"] == 0
        async with npm(rehearsal, "wrong") as (_, status):
            assert status == 0x0E
        assert rehearsal.report().losses == []


async def test_npms_client_gets_a_receipt_that_names_its_message(tmp_path: Path) -> None:
    async with centre(tmp_path, at_once(failures={"EXPIRED": 1.0})) as rehearsal:
        async with npm(rehearsal) as (esme, _):
            sent = await esme.ask(
                "submit",
                {
                    "destination_addr": "13800000001", "source_addr": "10690001", "text": "台风红色预警",
                    "data_coding": 8, "registered_delivery": 1,
                },
            )  # fmt: skip
            (receipt,) = await delivered(esme, 1)
        report = rehearsal.report()
    assert sent["status"] == 0
    assert (receipt["id"], receipt["state"], receipt["kind"] & 0x3C) == (sent["id"], 3, 4)
    assert f"id:{sent['id']} " in receipt["text"]
    assert "stat:EXPIRED" in receipt["text"]
    assert (receipt["from"], receipt["to"]) == ("13800000001", "10690001")
    (one,) = report.taken
    assert (one.ref, one.address, report.texts[one.text_hash]) == (sent["id"], "13800000001", "台风红色预警")
    assert report.acknowledged_receipts == {one.ref}


async def test_npms_client_is_written_to_and_told_what_does_not_go(tmp_path: Path) -> None:
    async with centre(tmp_path, at_once(rate=1)) as rehearsal:
        async with npm(rehearsal) as (esme, _):
            fields = {"destination_addr": "8613800000001", "text": "flood", "registered_delivery": 0}
            assert (await esme.ask("submit", fields))["status"] == 0
            assert (await esme.ask("submit", fields))["status"] == 0x58
            await rehearsal.client.behave(Medium.SMS, rate=0)
            assert (await esme.ask("submit", {**fields, "destination_addr": "12"}))["status"] == 0x0B
            await rehearsal.client.say("county", "13800000001", "收到，正在转移")
            (said,) = await delivered(esme, 1)
        assert (await rehearsal.client.total()).receipts_sent == 0
        (one,) = rehearsal.report().taken
    assert (said["from"], said["coding"], said["text"]) == ("8613800000001", 8, "收到，正在转移")
    assert one.address == "13800000001"


class Smpplib:
    """smpplib's client, which waits: each step in a thread."""

    def __init__(self, port: int) -> None:
        self.client = Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
        self.sent: list[str] = []
        self.came: list[Any] = []
        self.client.set_message_sent_handler(self._sent)
        self.client.set_message_received_handler(self._came)

    def exchange(self, parts: Sequence[bytes], *, headed: bool, reports: int) -> None:
        self.client.connect()
        self.client.bind_transceiver(system_id="county", password="s3cret")
        for part in parts:
            self.client.send_message(
                source_addr="10690001",
                destination_addr="13800000001",
                short_message=part,
                data_coding=consts.SMPP_ENCODING_ISO10646,
                esm_class=consts.SMPP_GSMFEAT_UDHI if headed else 0,
                registered_delivery=True,
            )
        while len(self.sent) < len(parts) or len(self.came) < reports:
            self.client.read_once()
        self.client.unbind()
        self.client.disconnect()

    def _sent(self, pdu: Any, **_: object) -> None:
        self.sent.append(pdu.message_id.decode())

    def _came(self, pdu: Any, **_: object) -> int:
        self.came.append(pdu)
        return int(consts.SMPP_ESME_ROK)

    def refused(self) -> int:
        self.client.connect()
        try:
            self.client.bind_transceiver(system_id="county", password="wrong")
        except PDUError as problem:
            return int(problem.args[1])
        finally:
            self.client.disconnect()
        return 0


async def test_smpplib_sends_a_long_message_and_gets_a_receipt_for_each_part(tmp_path: Path) -> None:
    content = LONG.encode("utf-16-be")
    pieces = [content[start : start + 134] for start in range(0, len(content), 134)]
    parts = [bytes([5, 0, 3, 9, len(pieces), number]) + piece for number, piece in enumerate(pieces, 1)]
    async with centre(tmp_path) as rehearsal:
        client = Smpplib(rehearsal.fronts["smpp"].port)
        async with asyncio.timeout(60):
            await asyncio.to_thread(client.exchange, parts, headed=True, reports=len(parts))
        report = rehearsal.report()
    assert {pdu.receipted_message_id.decode().rstrip("\0") for pdu in client.came} == set(client.sent)
    assert {pdu.message_state for pdu in client.came} == {consts.SMPP_MESSAGE_STATE_DELIVERED}
    (one,) = report.taken
    assert report.texts[one.text_hash] == LONG
    assert one.ref == client.sent[-1]
    assert report.losses == []


async def test_smpplib_is_refused_with_a_wrong_password(tmp_path: Path) -> None:
    async with centre(tmp_path) as rehearsal:
        assert await asyncio.to_thread(Smpplib(rehearsal.fronts["smpp"].port).refused) == consts.SMPP_ESME_RINVPASWD


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 64, b"\0\0\0\x10\0\0\0\x04" + bytes(8), b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x0c" + bytes(8)],
)
async def test_garbage_ends_its_connection_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    async with centre(tmp_path) as rehearsal:
        async with npm(rehearsal) as (esme, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", rehearsal.fronts["smpp"].port)
            writer.write(data)
            async with asyncio.timeout(60):
                with suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()
            assert (await esme.ask("alive"))["status"] == 0
