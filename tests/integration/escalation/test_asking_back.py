"""Asking back: who answers without saying which alert is meant is asked once, by the way of every other message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.conservation import breaches
from broadcaster.dispatch import closing, ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.questions import Questions
from broadcaster.errors import InputError
from broadcaster.ports import Envelope, Medium
from broadcaster.responses.clarify import message
from broadcaster.responses.senders import KnownAlert
from channels.email import channel as email
from channels.sms import channel as sms
from channels.wechat import channel as wechat
from tests.integration.escalation.conftest import SMS, WECHAT, County, Who

CHECKS = {Medium.SMS: sms.check, Medium.WECHAT: wechat.check, Medium.EMAIL: email.check}

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


@pytest.fixture
async def head(county: County) -> Who:
    """The head of a village that two alerts are open for, long asked about both."""
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.issue(2, code="28")
    await county.tick()
    async with county.database.connection() as connection:
        await connection.execute("UPDATE batch SET state = 2")
    return head


async def claimed(county: County, channel: Medium, *, rehearsal: bool = True) -> list[tuple[Batch, list[Row]]]:
    """What a gateway would send now of what was not sent before."""
    async with county.database.connection() as connection:
        batches = await ledger.claim(
            connection,
            channel=channel.value,
            rehearsal=rehearsal,
            now=county.clock.now(),
            limit=10,
            rows=1_000_000,
            worker="w",
            lease=60,
        )
        return list(zip(batches, await ledger.claimed_rows(connection, batches), strict=True))


async def composed(county: County, channel: Medium) -> list[Envelope]:
    questions = Questions(county.database, county.clock)
    found = await claimed(county, channel)
    return [one for batch, rows in found for one in await questions.envelopes(batch, rows)]


async def test_who_answers_without_a_code_is_asked_which_alert_is_meant(county: County, head: Who) -> None:
    await county.tell(head)
    await county.reply(f"+86 {head.phone}", "1")

    (envelope,) = await composed(county, SMS)
    assert envelope.address == head.phone
    assert "“1 27”" in envelope.message.text
    assert "“1 28”" in envelope.message.text
    assert envelope.message.text.startswith("【演练】")
    async with county.database.connection() as connection:
        assert await breaches(connection, 1) == await breaches(connection, 2) == []


async def test_the_question_goes_out_on_the_channel_and_the_side_of_the_wall_that_the_answer_came_by(
    county: County, head: Who
) -> None:
    address = await county.value("SELECT address FROM contact WHERE medium = 'wechat'")
    await county.reply(address, "1", WECHAT)

    assert await claimed(county, WECHAT, rehearsal=False) == []
    assert await claimed(county, SMS) == []
    (envelope,) = await composed(county, WECHAT)
    assert envelope.address == address


async def test_the_question_is_no_use_after_ten_minutes_and_then_never_sent(county: County, head: Who) -> None:
    await county.reply(head, "1")
    county.clock.advance(9 * 60)
    asked = await claimed(county, SMS)
    questions = Questions(county.database, county.clock)
    (envelope,) = await questions.envelopes(*asked[0])
    assert envelope.expires == county.clock.now() + timedelta(minutes=1)

    county.clock.advance(60)
    with pytest.raises(InputError):  # a courier writes down that it has failed
        await questions.envelopes(*asked[0])


async def test_after_ten_minutes_the_same_person_may_be_asked_again(county: County, head: Who) -> None:
    await county.reply(head, "1")
    county.clock.advance(599)
    await county.reply(head, "1")
    assert await county.value("SELECT count(*) FROM question") == 1
    county.clock.advance(1)
    await county.reply(head, "1")
    assert await county.value("SELECT count(*) FROM question") == 2


async def test_a_question_that_was_with_a_killed_worker_is_asked_again(county: County, head: Who) -> None:
    await county.reply(head, "1")
    first = await claimed(county, SMS)
    await county.value("UPDATE batch SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 1")
    await ledger.reclaim_lapsed(county.database, county.clock.now())

    again = await claimed(county, SMS)
    assert [batch.first for batch, _ in again] == [batch.first for batch, _ in first]
    assert [row.ordinal for _, rows in again for row in rows] == [row.ordinal for _, rows in first for row in rows]


async def test_nobody_is_asked_about_an_alert_that_is_over(county: County, head: Who) -> None:
    await county.reply(head, "1")
    alert_id = await county.value("SELECT alert_id FROM question")
    async with county.database.transaction() as connection:
        await closing.end(connection, alert_id, county.clock.now())

    assert await claimed(county, SMS) == []
    state = await county.value("SELECT state FROM delivery JOIN question USING (alert_id, ordinal)")
    assert state == DeliveryState.CANCELLED


@pytest.mark.parametrize("channel", list(CHECKS))
async def test_a_question_is_a_message_that_its_channel_can_send(channel: Medium) -> None:
    CHECKS[channel](
        message(
            channel,
            [KnownAlert(1, True, "27", "一", True, NOW, False), KnownAlert(2, True, "28", "二", True, NOW, False)],
        )
    )
