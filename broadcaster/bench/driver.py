"""One driver alone against its counterpart: how full it keeps its window, and what a message costs it.

The driver is in this process and stores nothing; the counterpart is the rehearsal, in a process of its own, which takes
every message and sends a receipt for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from broadcaster.bench.usage import Meter
from broadcaster.clock import SystemClock
from broadcaster.errors import UnavailableError
from broadcaster.garbage import collect_rarely
from broadcaster.journal import GatewayJournal
from broadcaster.ports import Accepted, DeliveryKey, Driver, Envelope, GatewaySettings, Medium, Message, Receipt, Reply
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import LINE, RehearsalProcess
from broadcaster.rehearsal.script import (
    Behaviour,
    CarrierFront,
    Delay,
    Fronts,
    MailFront,
    OfficialFront,
    Residents,
    Script,
    WecomFront,
)

MEDIA = {
    "line": Medium.SMS,
    "cmpp": Medium.SMS,
    "smpp": Medium.SMS,
    "smtp": Medium.EMAIL,
    "official": Medium.WECHAT,
    "wecom": Medium.WECHAT,
}
"""The drivers that have a counterpart, and their channel."""

ADDRESSES = {"smtp": "resident{}@example.org", "official": "oDaohuRehearsal{:013}", "wecom": "wecom:member{}"}
NUMBER = "138{:08d}"

BY_REQUEST = ("smtp", "official", "wecom")
"""Drivers that need a conversation for each message. Their receipts come by a callback, which nobody awaits here."""

AT_ONCE = 32
"""Requests under way at full speed, as the drivers over HTTP have them unless told otherwise."""

TEXTS = {
    "short": "【鄞州应急】台风红色预警：{}号请立即转移到安置点。",
    "long": "【鄞州应急】鄞州区发布台风红色预警：预计未来6小时内将受严重影响。请低洼地带、危旧房屋内的人员立即转移到"
    "就近的避灾安置点；其他人员留在坚固的室内，远离门窗，{}。如需帮助请回复“求助”，详情见当地广播。",
}
"""A text of one part, and one of two."""

SLICE = 100
"""Messages that the driver is given at a time; as in production it gets the next ones before it has run dry."""

WIDE = 1000
"""Window of the measurement at full speed, to both sides, where messages need no request of their own."""

PATIENCE = 60.0
"""Seconds for the last receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measurement. `share` is the part of `window / latency` that was reached, 0 where there is no latency.
    `cpu_us` is CPU time per message in microseconds, receipts included; `per_core` what one core could carry of the
    driver's share alone.
    """

    driver: str
    text: str
    messages: int
    receipts: int
    window: int
    latency_ms: float
    per_s: float
    share: float
    per_core: float
    driver_cpu_us: float
    sink_cpu_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to measure: `latency` is the carrier's, in seconds; `window` 0 is a wide one."""

    driver: str
    text: str
    messages: int
    folder: Path
    window: int = 0
    latency: float = 0.0


class CountingInbox:
    """Counts what comes, and stores nothing."""

    def __init__(self) -> None:
        self.count = 0

    async def receipts(self, items: Sequence[Receipt]) -> None:
        self.count += len(items)

    async def replies(self, items: Sequence[Reply]) -> None:
        raise NotImplementedError(f"{len(items)} replies, although nobody was asked")


async def bench_driver(task: Task) -> Figures:
    """Send so many messages through one connection, and wait for their receipts where the driver gets any."""
    collect_rarely()
    window = task.window or (AT_ONCE if MEDIA[task.driver] is Medium.WECHAT else WIDE)
    behaviour = _behaviour(task.latency)
    fronts = Fronts(
        cmpp=CarrierFront(window=window), smpp=CarrierFront(window=window), smtp=MailFront(),
        official=OfficialFront(), wecom=WecomFront(),
    )  # fmt: skip
    script = Script(seed=1, texts_kept=0, sms=behaviour, email=behaviour, wechat=behaviour, fronts=fronts)
    async with RehearsalProcess(task.folder, script) as sink:
        gateway = _gateway(sink, task.driver, window)
        driver = (
            Registry.installed().plugin(gateway.channel, gateway.driver).build(gateway, GatewayJournal(SystemClock()))
        )
        inbox = CountingInbox()
        await driver.open(inbox)
        try:
            warm = WARM if task.latency or task.driver in BY_REQUEST else WARM_FULL
            await _send(driver, _envelopes(task, 1, warm))
            await _receipted(driver, inbox, warm)
            meter = Meter([sink.pid or 0])
            meter.look()
            before, began, used = meter.cpu, time.perf_counter(), time.process_time()
            accepted = await _send(driver, _envelopes(task, warm + 1, task.messages))
            sent = time.perf_counter() - began
            await _receipted(driver, inbox, warm + accepted)
            seconds, used = time.perf_counter() - began, time.process_time() - used
            meter.look()
        finally:
            await driver.close()
    per_s = task.messages / (sent if task.latency else seconds)
    return Figures(
        driver=task.driver,
        text=task.text,
        messages=task.messages,
        receipts=inbox.count - warm if driver.capabilities.receipts else 0,
        window=driver.capabilities.window,
        latency_ms=task.latency * 1000,
        per_s=round(per_s, 1),
        share=round(per_s * task.latency * _parts(task) / driver.capabilities.window, 4),
        per_core=round(task.messages / used),
        driver_cpu_us=round(used / task.messages * 1e6, 1),
        sink_cpu_us=round((meter.cpu - before) / task.messages * 1e6, 1),
    )


WARM = 200
"""Messages before the measurement begins."""

WARM_FULL = 20_000
"""The same at full speed: enough for the sink to have dealt the fates of nearly all readers."""


def _behaviour(latency: float) -> Behaviour:
    return Behaviour(answer=Delay(median=latency), receipt=Delay(), residents=Residents(share=0))


def _parts(task: Task) -> int:
    """Short messages of one text, each of which takes a place in the window."""
    return 2 if task.text == "long" and task.driver in ("cmpp", "smpp") else 1


def _gateway(sink: RehearsalProcess, driver: str, window: int) -> GatewaySettings:
    name = LINE if driver == "line" else driver
    if driver == "smtp":
        return sink.gateway(MEDIA[driver], rate=100_000, driver=name)
    if MEDIA[driver] is Medium.WECHAT:
        return sink.gateway(MEDIA[driver], rate=100_000, driver=name, window=window, token=None, aes_key=None)
    return sink.gateway(MEDIA[driver], rate=100_000, driver=name, window=window)


def _envelopes(task: Task, first: int, count: int) -> Iterator[Envelope]:
    text, expires = TEXTS[task.text], datetime.now(UTC) + timedelta(hours=1)
    address = ADDRESSES.get(task.driver, NUMBER)
    for ordinal in range(first, first + count):
        said = text.format(ordinal)
        message = Message(said, subject="预警", fields={"keyword5": said} if task.driver == "official" else {})
        yield Envelope(DeliveryKey(1, ordinal, 1), address.format(ordinal), message, 0, expires)


async def _send(driver: Driver, envelopes: Iterator[Envelope]) -> int:
    """Keep a slice more than the window in the driver's hands; how many were accepted."""
    lanes = max(2, -(-driver.capabilities.window // SLICE) + 1)

    async def lane() -> int:
        accepted = 0
        while batch := list(islice(envelopes, SLICE)):
            async for outcome in driver.send(batch):
                if not isinstance(outcome, Accepted):
                    raise UnavailableError(
                        f"对端没有接收：{outcome}。", remedy="请重新运行；测量只在一切正常时有意义。"
                    )
                accepted += 1
        return accepted

    return sum(await asyncio.gather(*(lane() for _ in range(lanes))))


async def _receipted(driver: Driver, inbox: CountingInbox, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while driver.capabilities.receipts and inbox.count < count:
        if time.monotonic() > deadline:
            raise UnavailableError(f"{PATIENCE:.0f} 秒内只有 {inbox.count}/{count} 份回执。", remedy="请重新运行。")
        await asyncio.sleep(0.005)


HEAD = (
    "| driver | text | messages | window | latency | messages/s | of window/latency | driver CPU | sink CPU "
    "| driver alone, messages/s of a core |\n|---|---|---|---|---|---|---|---|---|---|"
)


def table(runs: Sequence[Figures]) -> str:
    """The measurements as a Markdown table."""
    return "\n".join([HEAD, *map(_row, runs)])


def _row(run: Figures) -> str:
    cells = (
        run.driver,
        run.text,
        f"{run.messages:,}",
        str(run.window),
        f"{run.latency_ms:.0f} ms" if run.latency_ms else "none",
        f"{run.per_s:,.0f}",
        f"{run.share:.1%}" if run.latency_ms else "",
        f"{run.driver_cpu_us:.1f} µs",
        f"{run.sink_cpu_us:.1f} µs",
        f"{run.per_core:,}",
    )
    return f"| {' | '.join(cells)} |"
