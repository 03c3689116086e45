"""The rehearsal as a lower platform: it checks like a strict one, plays, gives way, stops, reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from broadcaster.clock import BEIJING
from broadcaster.ports import (
    Accepted,
    Audio,
    CallbackResult,
    Deferred,
    DeliveryKey,
    Envelope,
    Evidence,
    GatewaySettings,
    Medium,
    Message,
    Notice,
    Outcome,
    Recalls,
    Sent,
    Unknown,
)
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import (
    EBD_CLIENT,
    EBD_CLIENT_KEY,
    EBD_CLIENT_SERIAL,
    EBD_KEY,
    EBD_PLATFORM,
    EBD_PUBLIC,
    EBD_SERIAL,
    Behaviour,
    Delay,
    EbdFront,
    Faults,
    Fronts,
    Script,
)
from broadcaster.testing.callbacks import Doorstep
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.loudspeaker.ebd import ebd, package, signature
from channels.loudspeaker.ebd.documents import EBDResponse
from channels.loudspeaker.ebd.package import File
from channels.loudspeaker.ebd.plugin import EbdPlugin
from channels.loudspeaker.ebd.profile import PROFILES
from channels.loudspeaker.signing.seal import Seal
from channels.loudspeaker.signing.sm2 import PrivateKey
from tests.contract.rehearsal_peer import mp3
from tests.harness import ebd_keys
from tests.harness.ebd_platform import FORM, TERMINALS, posted
from tests.harness.waiting import wait_until

WITHIN = 60.0
AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=2.0)
LATER = Behaviour(answer=Delay(), receipt=Delay(median=6.0), redeliver_after=5.0)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return mp3(tmp_path_factory.mktemp("sound"))


class Listening(EbdPlugin):
    """Remembers what it answered at the door."""

    def __init__(self) -> None:
        super().__init__(alone=timedelta(hours=1))
        self.answers: list[bytes] = []

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        result = super().parse(gateway, headers, query, body)
        self.answers.append(result.body)
        return result


class Bench:
    """A driver that is open before a rehearsal, which reports to its door."""

    def __init__(self, gateway: GatewaySettings, rehearsal: RehearsalProcess) -> None:
        self.gateway = gateway
        self.rehearsal = rehearsal
        self.inbox = MemoryInbox()
        self.journal = MemoryJournal()
        self.plugin = Listening()
        self.driver = self.plugin.build(gateway, self.journal)

    async def send(self, batch: Sequence[Envelope]) -> list[Outcome]:
        async with asyncio.timeout(WITHIN):
            found = {one.key: one async for one in self.driver.send(batch)}
        return [found[envelope.key] for envelope in batch]

    async def receipts(self, count: int) -> dict[str, tuple[Evidence, str]]:
        await self.inbox.until(lambda: len(self.inbox.refs()) >= count, WITHIN)
        return {one.ref: (one.evidence, one.reason) for one in self.inbox.stored_receipts}


@asynccontextmanager
async def rehearsed(folder: Path, behaviour: Behaviour, front: EbdFront | None = None) -> AsyncIterator[Bench]:
    script = Script(loudspeaker=behaviour, fronts=Fronts(ebd=front or EbdFront(heartbeat=0.0)))
    async with RehearsalProcess(folder, script) as rehearsal:
        options: dict[str, Any] = {"gather": 0.05, "poll": 0, "drill": "title", "answer_timeout": 20.0}
        bench = Bench(rehearsal.gateway(Medium.LOUDSPEAKER, rate=1000, driver="ebd", **options), rehearsal)
        door = Doorstep(bench.plugin, bench.gateway, bench.inbox)
        await rehearsal.client.call_back("ebd", EBD_CLIENT, await door.open())
        await bench.driver.open(bench.inbox)
        try:
            yield bench
        finally:
            await bench.driver.close()
            await door.close()


def envelopes(
    sound: Audio, colour: str = "orange", terminals: Sequence[str] = TERMINALS, first: int = 1
) -> list[Envelope]:
    now = datetime.now(UTC)
    notice = Notice(
        identifier="1", kind="warning", status="Exercise", msg_type="Alert", event="11B03", colour=colour,
        title="暴雨", sender="某县", sent=now, starts=now, ends=now + timedelta(hours=1),
    )  # fmt: skip
    message = Message(f"{colour}预警，请立即转移。", audio=sound, notice=notice)
    return [
        Envelope(DeliveryKey(first, ordinal, 1), terminal, message, 1, now + timedelta(hours=1))
        for ordinal, terminal in enumerate(terminals, first)
    ]


def refs(outcomes: Sequence[Outcome]) -> list[str]:
    return [one.ref for one in outcomes if isinstance(one, Accepted)]


async def test_what_it_plays_comes_back_terminal_by_terminal(tmp_path: Path, sound: Audio) -> None:
    behaviour = msgspec.structs.replace(AT_ONCE, failures={"功放故障": 0.3}, refuse={"终端停用": 0.2}, play=1.0)
    async with rehearsed(tmp_path, behaviour) as bench:
        outcomes = await bench.send(envelopes(sound))
        found = await bench.receipts(len(TERMINALS))
        counts = (await bench.rehearsal.client.stats())[EBD_CLIENT]
        assert set(found) == set(refs(outcomes))
        reasons = {reason for _, reason in found.values()}
        assert reasons == {"", "播发失败：功放故障", "播发失败：终端停用"}
        assert all((not reason) == (evidence is Evidence.DELIVERED) for evidence, reason in found.values())
        assert counts.protocol_errors == 0
    taken = bench.rehearsal.report().taken
    assert {one.address for one in taken} <= set(TERMINALS)


async def test_a_lower_class_gives_way_to_a_higher_one_at_the_same_terminals(tmp_path: Path, sound: Audio) -> None:
    async with rehearsed(tmp_path, LATER) as bench:
        blue = refs(await bench.send(envelopes(sound, "blue", TERMINALS[:6])))
        red = refs(await bench.send(envelopes(sound, "red", TERMINALS[3:9], first=100)))
        found = await bench.receipts(12)
    assert [found[ref][0] for ref in red] == [Evidence.DELIVERED] * 6
    assert [found[ref][0] for ref in blue] == [Evidence.DELIVERED] * 3 + [Evidence.FAILED] * 3
    assert "打断" in found[blue[-1]][1]


async def test_a_higher_class_does_not_give_way(tmp_path: Path, sound: Audio) -> None:
    async with rehearsed(tmp_path, LATER) as bench:
        red = refs(await bench.send(envelopes(sound, "red", TERMINALS[:4])))
        blue = refs(await bench.send(envelopes(sound, "blue", TERMINALS[:4], first=100)))
        found = await bench.receipts(8)
    assert {found[ref][0] for ref in [*red, *blue]} == {Evidence.DELIVERED}


async def test_a_recall_stops_what_is_not_over(tmp_path: Path, sound: Audio) -> None:
    async with rehearsed(tmp_path, LATER) as bench:
        batch = envelopes(sound)
        outcomes = await bench.send(batch)
        assert isinstance(bench.driver, Recalls)
        sent = [Sent(one.key, ref, one.address) for one, ref in zip(batch, refs(outcomes), strict=True)]
        await bench.driver.recall(sent[:5])
        found = await bench.receipts(len(batch))
    stopped = [found[ref] for ref in refs(outcomes)[:5]]
    assert all(evidence is Evidence.FAILED and reason.startswith("播发取消") for evidence, reason in stopped)
    assert {found[ref][0] for ref in refs(outcomes)[5:]} == {Evidence.DELIVERED}


async def test_it_answers_when_it_is_asked(tmp_path: Path, sound: Audio) -> None:
    script = Script(loudspeaker=AT_ONCE, fronts=Fronts(ebd=EbdFront(heartbeat=0.0)))
    async with RehearsalProcess(tmp_path, script) as rehearsal:
        gateway = rehearsal.gateway(Medium.LOUDSPEAKER, rate=1000, driver="ebd", gather=0.05, poll=0.2)
        bench = Bench(gateway, rehearsal)
        door = Doorstep(bench.plugin, gateway, MemoryInbox())
        await rehearsal.client.call_back("ebd", EBD_CLIENT, await door.open())
        await bench.driver.open(bench.inbox)
        outcomes = await bench.send(envelopes(sound))
        found = await bench.receipts(len(TERMINALS))
        await bench.driver.close()
        await door.close()
    assert set(found) == set(refs(outcomes))


@pytest.mark.parametrize(
    ("front", "faults", "kind"),
    [
        (EbdFront(heartbeat=0.0, forged=1.0), Faults(), Unknown),
        (EbdFront(heartbeat=0.0), Faults(cut=1.0, cut_taken=1.0), Unknown),
        (EbdFront(heartbeat=0.0), Faults(garbage=1.0), Unknown),
    ],
    ids=["wrong signature", "cut", "garbage"],
)
async def test_its_faults_are_those_of_the_script(
    tmp_path: Path, sound: Audio, front: EbdFront, faults: Faults, kind: type[Outcome]
) -> None:
    async with rehearsed(tmp_path, msgspec.structs.replace(AT_ONCE, faults=faults), front) as bench:
        assert {type(one) for one in await bench.send(envelopes(sound))} == {kind}


async def test_a_busy_platform_takes_a_broadcast_as_a_whole_or_not_now(tmp_path: Path, sound: Audio) -> None:
    async with rehearsed(tmp_path, msgspec.structs.replace(AT_ONCE, busy=1.0)) as bench:
        outcomes = await bench.send(envelopes(sound))
        assert all(isinstance(one, Deferred) and "繁忙" in one.reason for one in outcomes)
    assert not bench.rehearsal.report().taken


async def test_it_sends_signs_of_life_upwards(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, AT_ONCE, EbdFront(heartbeat=0.05)) as bench:

        async def heard() -> bool:
            return len(bench.plugin.answers) >= 3

        await wait_until(heard, within=WITHIN, what="three signs of life")
        assert (await bench.rehearsal.client.stats())[EBD_CLIENT].protocol_errors == 0
    for body in bench.plugin.answers:
        answer = ebd.read(package.unpack([body]).document, PROFILE)
        assert (answer.body, answer.related) == (
            EBDResponse(result_code="1", result_desc="校验成功"),
            f"01{EBD_PLATFORM}{'0' * 16}",
        )


# what a strict platform refuses, said by a client that is not the driver

NOW = "2026-11-28 03:00:00"
DISPATCH = "".join(
    f"<Dispatch><LanguageCode>zho</LanguageCode><EBRBS><BrdSysType>0314</BrdSysType><BrdSysInfo>{one}</BrdSysInfo>"
    "</EBRBS></Dispatch>"
    for one in TERMINALS[:2]
)
PROFILE = PROFILES["2023"]
Change = Callable[[str], str]


def document(content: bytes) -> tuple[str, str]:
    """An EBD with an EBM in it, and its id."""
    ebdid = f"10{EBD_CLIENT}2026112800000001"
    now = datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    basic = (
        "<MsgBasicInfo><MsgType>1</MsgType><SenderName>某县</SenderName><SenderCode>1</SenderCode>"
        f"<SendTime>{now}</SendTime><EventType>11B03</EventType><Severity>2</Severity><StartTime>{now}</StartTime>"
        f"<EndTime>{now}</EndTime></MsgBasicInfo>"
    )
    said = (
        "<MsgContent><LanguageCode>zho</LanguageCode><MsgTitle>暴雨</MsgTitle><MsgDesc>转移</MsgDesc>"
        "<AreaCode>330212001000</AreaCode><Auxiliary><AuxiliaryType>2</AuxiliaryType>"
        f"<AuxiliaryDesc>EBDR_1.mp3</AuxiliaryDesc><Size>{len(content)}</Size></Auxiliary></MsgContent>"
    )
    return ebdid, (
        '<?xml version="1.0" encoding="UTF-8"?><EBD xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f"<EBDVersion>1</EBDVersion><EBDID>{ebdid}</EBDID><EBDType>EBM</EBDType><SRC><EBRID>{EBD_CLIENT}</EBRID></SRC>"
        f"<EBDTime>{now}</EBDTime><EBM><EBMVersion>1</EBMVersion><EBMID>{EBD_CLIENT}202611280001</EBMID>{basic}{said}"
        f"{DISPATCH}</EBM></EBD>"
    )


async def answered(at: str, content: bytes) -> str:
    """The ResultCode to a package."""
    async with aiohttp.ClientSession() as session:
        async with session.post(at, data=posted(content, f"EBDT_{NUMBER}.tar"), headers={"Content-Type": FORM}) as got:
            answer = ebd.read(package.unpack([await got.read()]).document, PROFILE)
    assert isinstance(answer.body, EBDResponse)
    return answer.body.result_code


NUMBER, _ = document(b"")


def sealed(changed: str, *, secret: str = EBD_CLIENT_KEY, serial: str = EBD_CLIENT_SERIAL, sound: bytes) -> bytes:
    written = changed.encode()
    seal = Seal(datetime.now(UTC), serial, PrivateKey.read(secret).sign(written))
    files = [File("EBDR_1.mp3", sound)]
    return package.pack(NUMBER, written, signature.write(NUMBER, seal, PROFILE), files)


def swapped(first: str, second: str) -> Change:
    """Two elements in the other order."""

    def change(said: str) -> str:
        one = said[said.index(f"<{first}>") : said.index(f"</{first}>") + len(first) + 3]
        two = said[said.index(f"<{second}>") : said.index(f"</{second}>") + len(second) + 3]
        assert one + two in said
        return said.replace(one + two, two + one)

    return change


def replaced(old: str, new: str) -> Change:
    def change(said: str) -> str:
        assert old in said
        return said.replace(old, new)

    return change


async def test_a_strict_platform_refuses_what_is_not_in_order(tmp_path: Path, sound: Audio) -> None:
    content = await asyncio.to_thread(sound.path.read_bytes)
    _, good = document(content)
    async with rehearsed(tmp_path, AT_ONCE) as bench:
        at = str(bench.gateway.options["endpoint"])
        for change, code in (
            (swapped("EBDType", "SRC"), "3"),
            (swapped("EventType", "Severity"), "3"),
            (swapped("MsgTitle", "MsgDesc"), "3"),
            (replaced("<AreaCode>330212001000</AreaCode>", ""), "3"),
            (replaced("<Severity>2</Severity>", "<Severity></Severity>"), "3"),
            (replaced("<Size>", "<Size>1"), "3"),
            (replaced(f"{EBD_CLIENT}202611280001", f"{EBD_CLIENT}2026112800"), "3"),
            (replaced("<StartTime>2026-", "<StartTime>2026/"), "3"),
            (replaced("</EBD>", ""), "2"),
            (replaced("<EBD ", "<!DOCTYPE EBD [<!ENTITY a 'b'>]><EBD "), "2"),
        ):
            assert await answered(at, sealed(change(good), sound=content)) == code
        assert await answered(at, sealed(good, secret=ebd_keys.THEIRS, sound=content)) == "4"
        assert await answered(at, sealed(good, serial="999999999999", sound=content)) == "4"
        assert await answered(at, package.pack(NUMBER, good.encode(), None, [File("EBDR_1.mp3", content)])) == "4"
        assert await answered(at, sealed(good, sound=content)) == "1"
        assert await answered(at, sealed(good, sound=content)) == "5", "an EBMID comes once"


def test_the_keys_of_a_rehearsal_are_those_of_its_script() -> None:
    assert ebd_keys.public(EBD_KEY) == EBD_PUBLIC
    assert EbdFront().clients == {EBD_CLIENT_SERIAL: ebd_keys.public(EBD_CLIENT_KEY)}
    assert EbdFront().serial == EBD_SERIAL
