"""/metrics: every stage of an alert in numbers, cheap to read, and nothing about anybody."""

from __future__ import annotations

import re
from collections import Counter

from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event
from broadcaster.gauges import SQL, Gauge
from broadcaster.web.metrics import METRICS, Reading, exposition
from tests.harness.web import Web

LINE = re.compile(r'^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+$')


async def numbers(web: Web) -> dict[str, float]:
    """What /metrics says now, whatever it said a second ago."""
    from broadcaster.web.health import reading

    text = METRICS.text(await reading(web.context).gauges())
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not LINE.match(line)] == []
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def test_the_age_of_the_oldest_undelivered_counts_from_its_planning_until_it_is_delivered(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    labels = f'{{alert="{number}",channel="sms"}}'
    async with web.database.connection() as connection:
        await connection.execute("UPDATE batch SET planned_at = planned_at - interval '90 seconds'")
        rows = await connection.fetch(
            "SELECT ordinal FROM delivery d JOIN batch b ON b.first = d.batch AND channel = 'sms'"
        )
    waiting = await numbers(web)
    assert 90 <= waiting[f"daohu_alert_oldest_undelivered_seconds{labels}"] < 120
    assert 90 <= waiting[f"daohu_alert_oldest_unsent_seconds{labels}"] < 120
    assert waiting[f'daohu_alert_deliveries{{alert="{number}",channel="sms",state="queued"}}'] == len(rows)

    async def all_are(state: DeliveryState) -> dict[str, float]:
        now = web.clock.now()
        news = [Event(number, row["ordinal"], 1, int(state), 1, None, None, now) for row in rows]
        await ledger.write(web.database, "w", news)
        await ledger.fold(web.database, now)
        return await numbers(web)

    taken = await all_are(DeliveryState.SUBMITTED)
    assert taken[f"daohu_alert_oldest_unsent_seconds{labels}"] == 0
    assert taken[f"daohu_alert_oldest_undelivered_seconds{labels}"] >= 90
    delivered = await all_are(DeliveryState.DELIVERED)
    assert delivered[f"daohu_alert_oldest_undelivered_seconds{labels}"] == 0
    assert delivered[f'daohu_alert_households{{alert="{number}",state="reached"}}'] == 6


async def test_every_stage_has_its_number(web: Web) -> None:
    number = await web.issued()
    await web.worker_lives()
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO segment (worker, rows, written_at) VALUES ('w', 7, now() - interval '9 seconds')"
        )
        await connection.execute("INSERT INTO gateway (name) VALUES ('town-sms')")
        await connection.execute(
            """
            INSERT INTO gateway_slot (gateway_id, slot, owner, lease_until)
            SELECT id, n, CASE n WHEN 1 THEN 'w' WHEN 2 THEN 'dead' END, now() + make_interval(mins => 3 - 2 * n)
            FROM gateway, generate_series(1, 3) n
            """
        )
        await connection.execute(
            """
            INSERT INTO gateway_word
            SELECT id, 1, 'w', false, 'open', 'no route', false, 0, now(), now(), now() + interval '1 minute'
            FROM gateway
            """
        )
        await connection.execute(
            """
            INSERT INTO response (gateway, external_id, channel, rehearsal, address, text, received_at, stored_at)
            VALUES ('g', '1', 'sms', true, '+8613912345678', '我是张三，救命', $1, $1)
            """,
            web.clock.now(),
        )
        await connection.execute(
            "INSERT INTO duty_notice (alert_id, region, kind, created_at) VALUES ($1, '', 'call', $2)",
            number,
            web.clock.now(),
        )
    web.clock.advance(60)
    now = await numbers(web)
    assert now[f'daohu_alert_age_seconds{{alert="{number}"}}'] == 60
    assert now[f'daohu_alert_planning_late_seconds{{alert="{number}"}}'] == 60
    assert now[f'daohu_alert_villages{{alert="{number}",state="unplanned"}}'] > 0
    assert now["daohu_log_unfolded_rows"] == 7
    assert 9 <= now["daohu_log_unfolded_seconds"] < 30
    assert now["daohu_responses_unsettled"] == 1
    assert now["daohu_responses_unsettled_seconds"] == 60
    assert now['daohu_duty_notices{kind="call"}'] == 1
    assert now['daohu_duty_notice_oldest_seconds{kind="call"}'] == 60
    assert now[f'daohu_alert_escalation_late_seconds{{alert="{number}"}}'] == 60
    assert now['daohu_gateway_slots{gateway="town-sms"}'] == 3
    assert now['daohu_gateway_slots_held{gateway="town-sms"}'] == 1
    assert now['daohu_gateway_up{gateway="town-sms"}'] == 0
    assert now['daohu_gateway_breakers{gateway="town-sms",state="open"}'] == 1
    assert now['daohu_gateway_breakers{gateway="town-sms",state="closed"}'] == 0
    assert now['daohu_processes{kind="worker"}'] == 1
    assert now['daohu_process_recorder_buffered{process="w-1",kind="worker"}'] == 12
    assert now['daohu_table_live_rows{table="delivery"}'] >= 0
    assert now["daohu_database_up"] == 1
    everything = " ".join(now)
    assert "139" not in everything
    assert "张三" not in everything


async def test_an_alert_that_is_over_has_no_gauges(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    assert f'daohu_alert_age_seconds{{alert="{number}"}}' in await numbers(web)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE run SET state = 2")
    assert not [name for name in await numbers(web) if f'alert="{number}"' in name]


def test_no_gauge_is_read_from_the_million_rows() -> None:
    for name, statement in SQL.items():
        assert not re.search(r"(FROM|JOIN) (delivery|target|entry|message_ref|household|contact)\b", statement), name


async def test_however_many_ask_the_database_is_read_once_in_a_while() -> None:
    read: Counter[str] = Counter()

    async def look() -> list[Gauge]:
        read["times"] += 1
        return [Gauge("daohu_x", "X.", read["times"])]

    reading = Reading(look)
    found = [await reading.gauges() for _ in range(5)]
    assert read["times"] == 1
    assert all(one == found[0] for one in found)


def test_gauges_of_one_name_stand_together_and_labels_are_escaped() -> None:
    lines = list(
        exposition([Gauge("b", "B.", 1), Gauge("a", "A.", 2, {"x": 'a"b\\c\n'}), Gauge("b", "B.", 3, {"y": "z"})])
    )
    assert lines == [
        "# HELP a A.",
        "# TYPE a gauge",
        'a{x="a\\"b\\\\c\\n"} 2',
        "# HELP b B.",
        "# TYPE b gauge",
        "b 1",
        'b{y="z"} 3',
    ]
