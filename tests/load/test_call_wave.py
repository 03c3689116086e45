"""A wave of calls to people on duty through the whole core: heard, cut short and unanswered, counted as they were."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.dispatch.texts import TextKey
from broadcaster.ports import Medium
from broadcaster.rehearsal.logbook import Called
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, SipFront
from tests.harness.ground import TOWN, Ground, ground, quantile
from tests.harness.waiting import wait_until

FAILED, DELIVERED = 5, 6
SAID = {"听完": "heard", "按键": "heard (key)", "提前挂断": "cut short", "无人接听": "unanswered"}
ENDED = (2, 3, FAILED, DELIVERED)
RING = 12.0
ORDER = {"headline": "台风动员令", "description": "台风将至。", "instruction": "到岗到位。"}
"""Said at 230 words a minute, an order of 20 s, of which a drill's own words are a third."""

MORE_VILLAGES = """
WITH village AS (
    INSERT INTO region (code, name, level, lon, lat)
    SELECT $1 || to_char(900 + n, 'FM000'), '新村' || n, 3, 121.5, 29.8 FROM generate_series(1, $2::int) n
    RETURNING code, right(code, 3)::int AS n
), head AS (
    INSERT INTO person (external_id, name, language) SELECT 'head-' || code, '书记' || n, 'zh-CN' FROM village
    RETURNING id, external_id
), reached AS (
    INSERT INTO contact (person_id, medium, address, region_code, priority, active)
    SELECT head.id, 'phone', '136' || to_char(v.n, 'FM00000000'), '', 0, true
    FROM village v JOIN head ON head.external_id = 'head-' || v.code
)
INSERT INTO duty (person_id, region_code, role, rank, valid_from)
SELECT head.id, v.code, 'village_head', 'primary', '2020-01-01T00:00:00Z'
FROM village v JOIN head ON head.external_id = 'head-' || v.code
"""
"""Villages besides the 500, with a head and a phone each."""


def policies(every: float) -> str:
    return f"""
[policies.red]
loudspeakers = false
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [
  {{ after = 0, action = "notify_primary", channels = ["voice"], times = 3, every = {every} }},
  {{ after = 3000, action = "duty_desk" }},
]

[[speech.engines]]
engine = "espeak"
speed = 230
"""


@dataclass(frozen=True, slots=True)
class Wave:
    """What came of it: calls as the phones had them, and as the ledger has them by reference; `message` is how many
    seconds they were told."""

    message: float
    pressed: float
    calls: Sequence[Called]
    begun: dict[str, float]
    taken: dict[str, float]
    ledger: dict[str, tuple[int, str]]
    seconds: float
    worker_cpu: float
    front_cpu: float

    @property
    def first(self) -> dict[str, float]:
        """Seconds from the button to the first call to each address."""
        return {address: at - self.pressed for address, at in self.begun.items()}


async def wave(made: Ground, regions: list[str], people: int) -> Wave:
    """Call them all, and again who does not answer, until every call has come to its end."""
    worker, front = psutil.Process(made.workers[0].pid), psutil.Process(made.carrier.pid)
    before, began = _cpu(worker), time.monotonic()
    front_before = _cpu(front)
    order = await made.send("red", regions, to_heads=True, words=ORDER)
    told = await made.house.recordings.message(TextKey(order.id, "unit", Medium.VOICE.value, "zh-CN"))

    async def over() -> bool:
        async with made.house.database.connection() as connection:
            row = await connection.fetchrow(
                """
                SELECT count(*) FILTER (WHERE d.state <> ALL($2::int[])) AS open,
                       count(DISTINCT d.contact_id) AS called,
                       (SELECT count(*) FROM unit WHERE alert_id = $1 AND state = 'waiting' AND step < 3) AS more
                FROM delivery d WHERE d.alert_id = $1
                """,
                order.id,
                list(ENDED),
            )
        return row["called"] == people and not row["open"] and not row["more"]

    await wait_until(over, within=900, what="every call to have come to its end")
    seconds = time.monotonic() - began
    report = await made.report()
    begun: dict[str, float] = {}
    for one in report.taken:
        begun.setdefault(one.address, one.at)
    async with made.house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT m.ref, d.state, coalesce(d.reason, '') AS reason FROM message_ref m"
            " JOIN delivery d ON d.alert_id = m.alert_id AND d.ordinal = m.ordinal WHERE m.alert_id = $1",
            order.id,
        )
    return Wave(
        told.audio.seconds if told.audio is not None else 0.0,
        order.pressed,
        report.calls,
        begun,
        {one.ref: one.at for one in report.taken},
        {row["ref"]: (row["state"], row["reason"]) for row in rows},
        seconds,
        _cpu(worker) - before,
        _cpu(front) - front_before,
    )


def counted_right(found: Wave) -> Counter[str]:
    """The ledger says of every call what the phone says; how often what came of one."""
    assert set(found.ledger) == {call.ref for call in found.calls} == set(found.taken)
    for call in found.calls:
        state, reason = found.ledger[call.ref]
        if call.key or call.how == "听完":
            assert state == DELIVERED, (call, reason)
        elif call.how == "提前挂断":
            assert state == FAILED
            assert reason.startswith("未听完"), reason
        else:
            assert (state, reason) == (FAILED, "无人接听"), (call, reason)
    return Counter("按键" if call.key else "无人接听" if call.how == "主叫放弃" else call.how for call in found.calls)


def told(found: Wave, kinds: Counter[str], lines: int) -> str:
    """The figures, as a table's row would have them."""
    firsts = sorted(found.first.values())
    heard = [call for call in found.calls if call.how == "听完" and not call.key]
    spread = [call.jitter_p99 for call in heard]
    return (
        f"\n{len(firsts)} people, {lines} lines, a message of {found.message:.1f} s"
        f" ({quantile([call.seconds for call in heard], 0.5):.1f} s on the line):"
        f" first called after {quantile(firsts, 0.5):.1f} s (median), {firsts[-1]:.1f} s (the last of them);"
        f" {len(found.calls)} calls, all over after {found.seconds:.0f} s: "
        + ", ".join(f"{count} {SAID[kind]}" for kind, count in sorted(kinds.items()))
        + ", each in the ledger as at the phone;"
        f" CPU: worker {found.worker_cpu:.1f} s, exchange {found.front_cpu:.1f} s;"
        f" packets from 20 ms apart: median {quantile([call.jitter_median for call in heard], 0.5):.2f} ms,"
        f" 99 % {quantile(spread, 0.5):.2f} ms (of the worst call {max(spread):.2f} ms),"
        f" most {max(call.jitter_most for call in heard):.1f} ms, missing {sum(call.missing for call in heard)}\n"
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def phones() -> tuple[Behaviour, SipFront]:
    behaviour = Behaviour(answer=Delay(median=0.05), receipt=Delay(median=2.0, spread=0.3), duty=Duty(silent=0.7))
    return behaviour, SipFront(unanswered=0.3, hang_up=0.1, hang_up_after=Delay(median=4.0), middle=0.5)


async def test_a_wave_of_calls_is_counted_as_it_was(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("wave")
    behaviour, exchange = phones()
    async with ground(
        folder, households=1000, rates={Medium.VOICE: (50.0, 1)}, policies=policies(8),
        drivers={Medium.VOICE: "sip"},
        options={Medium.VOICE: {"lines": 20, "ring_timeout": 5.0, "repeats": 1}}, voice=behaviour, exchange=exchange,
    ) as made:  # fmt: skip
        await made.hire()
        await made.connected()
        found = await wave(made, [TOWN], 20)
    kinds = counted_right(found)
    assert len(found.first) == 20
    assert sum(kinds.values()) > 20, "somebody was called again"
    assert kinds["无人接听"] > 0
    sys.stdout.write(told(found, kinds, 20))


@pytest.mark.soak
async def test_506_people_are_called_within_three_minutes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("wave")
    behaviour, exchange = phones()
    async with ground(
        folder, households=1000, rates={Medium.VOICE: (50.0, 1)}, policies=policies(90),
        drivers={Medium.VOICE: "sip"},
        options={Medium.VOICE: {"lines": 100, "ring_timeout": RING, "repeats": 1}}, voice=behaviour, exchange=exchange,
    ) as made:  # fmt: skip
        async with made.house.database.connection() as connection:
            await connection.execute(MORE_VILLAGES, f"{DISTRICT_CODE}025", 6)
        await made.hire()
        await made.connected()
        found = await wave(made, [DISTRICT_CODE], 506)
    kinds = counted_right(found)
    sys.stdout.write(told(found, kinds, 100))
    assert 19 <= found.message <= 21
    assert len(found.first) == 506
    assert max(found.first.values()) <= 180
