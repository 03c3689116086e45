"""A note: one text to one number, by the carrier that would take it, once, and forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broadcaster.clock import SystemClock
from broadcaster.database import Database
from broadcaster.dispatch import notes, trials
from broadcaster.dispatch.slots import register
from broadcaster.ports import Medium
from tests.harness.carriers import carriers, sms
from tests.harness.district import District
from tests.harness.waiting import wait_until

FIRST, SECOND = sms("first", rate=100), sms("second", rate=100, priority=10)


async def test_a_note_is_sent_once_and_nothing_of_it_is_kept(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, FIRST, SECOND) as at, at.worker():
        await at.connected()
        now = SystemClock().now()
        async with district.database.transaction() as connection:
            gateway = await register(connection, at.gateways[1])
            await notes.say(connection, gateway, "13800138000", "验证码123456", now)

        async def sent() -> bool:
            async with district.database.connection() as connection:
                states = await connection.fetch("SELECT state FROM gateway_trial")
            return [row["state"] for row in states] in (["delivered"], ["failed"])

        await wait_until(sent, within=60, what="the note's receipt")
        [taken] = at.taken("second")
        assert taken.address == "13800138000"
        assert at.taken("first") == []
        async with district.database.connection() as connection:
            row = await connection.fetchrow("SELECT address, body FROM gateway_trial")
            assert tuple(row) == ("", "")
            assert await trials.latest(connection, "second", now) == []
            await notes.say(connection, gateway, "13800138000", "", now + trials.RECEIPT * 2)
            assert await connection.fetchval("SELECT count(*) FROM gateway_trial") == 1, "the old one is forgotten"


async def test_the_carrier_of_a_note_is_the_one_that_would_take_a_warning(database: Database) -> None:
    real = [
        replace(sms("rest", rate=10, priority=10), driver="straw"),
        replace(sms("mobile", rate=10), driver="straw", networks=("mobile",)),
        replace(sms("drill", rate=10, priority=-5), driver="straw", rehearsal=True),
        replace(sms("mail", rate=10, priority=-9), driver="straw", channel=Medium.EMAIL),
    ]

    async def carrier(number: str, *, up: str = "") -> str:
        async with database.transaction() as connection:
            gateways = {one.settings.name: one.id for one in [await register(connection, each) for each in real]}
            await connection.execute("DELETE FROM gateway_word")
            if up:
                await connection.execute(
                    "INSERT INTO gateway_word (gateway_id, slot, worker, up, state, why, idle, connected, taken, since,"
                    " said_at, holds_until) VALUES ($1, 1, 'w', true, 'idle', '', true, true, 0, now(), now(),"
                    " now() + interval '1 hour')",
                    gateways[up],
                )
            found = await notes.carrier(connection, real, number)
            return found.settings.name if found else ""

    assert await carrier("13800138000") == "mobile"
    assert await carrier("13000130000") == "rest"
    assert await carrier("13800138000", up="rest") == "rest", "who is up goes before who would be preferred"
    del real[:2]
    assert await carrier("13800138000") == ""
