"""A source that asks for it is told whether its messages could be used, until it has heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from adapters import cap
from adapters.webhook import WebhookOutlet
from broadcaster.alerts.alert import MsgType, Reference, Scope
from broadcaster.intake import answering
from broadcaster.intake.answering import Answering
from broadcaster.sources import SourceSettings
from broadcaster.web.context import Context
from tests.harness.desk import Desk
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.warnings import foreign, xml
from tests.harness.web import DISTRICT, Make


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture
async def outlet() -> AsyncIterator[WebhookOutlet]:
    made = WebhookOutlet()
    yield made
    await made.close()


def asking(context: Context, address: str) -> tuple[Context, SourceSettings]:
    """The same application, but the source `drafter` wants answers."""
    sources = dict(context.intake.sources)
    settings, source = sources["drafter"]
    settings = replace(settings, answer_to=address, private=True)
    sources["drafter"] = (settings, source)
    return replace(context, intake=replace(context.intake, sources=sources)), settings


async def test_a_good_message_is_acknowledged_and_a_bad_one_answered_with_the_reasons(
    make_web: Make, context: Context, server: FeedServer, outlet: WebhookOutlet
) -> None:
    context, settings = asking(context, server.tell("/answers"))
    desk = Desk(await make_web(context))
    await desk.receive(foreign())
    await desk.receive(xml(foreign("QX_2")).replace(b"<scope>Public</scope>", b""))
    await desk.receive(xml(foreign()).replace(b"<info>", b"<!-- again --><info>"))
    await desk.receive(foreign("QX_3"), "teller")
    at_work = Answering(context.database, context.clock, outlet, cap.write, DISTRICT)
    assert [await at_work.answer(settings) for _ in range(3)] == [True, True, False]
    asked = server.asked("/answers")
    assert {one["headers"]["content-type"] for one in asked} == {"application/cap+xml"}
    good, bad = (cap.read(one["body"].encode("latin-1")) for one in asked)
    first = foreign()
    assert (good.msg_type, bad.msg_type) == (MsgType.ACK, MsgType.ERROR)
    assert good.references == (Reference(first.sender, "QX_1", first.sent),)
    assert bad.references == (Reference(first.sender, "QX_2", first.sent),)
    assert "<scope>" in bad.note
    assert (good.scope, good.addresses) == (Scope.PRIVATE, (first.sender,))


async def test_an_answer_is_sent_until_it_arrives_or_a_day_has_gone(
    make_web: Make, context: Context, server: FeedServer, outlet: WebhookOutlet
) -> None:
    context, settings = asking(context, server.tell("/deaf", status=500))
    web = await make_web(context)
    desk = Desk(web)
    await desk.receive(foreign())
    at_work = Answering(context.database, context.clock, outlet, cap.write, DISTRICT)
    assert await at_work.answer(settings)
    assert not await at_work.answer(settings)
    web.clock.advance(answering.FIRST)
    server.tell("/deaf")
    assert await at_work.answer(settings)
    assert await web.value("SELECT (answer, answer_tries)::text FROM incoming") == "(sent,2)"
    server.tell("/deaf", status=500)
    lasting = replace(foreign("QX_2", regions=("330212102",)), sent=web.clock.now().replace(microsecond=0))
    await desk.receive(lasting)
    web.clock.advance(answering.GIVEN_UP.total_seconds())
    assert await at_work.answer(settings)
    assert await web.value("SELECT answer FROM incoming WHERE identifier = 'QX_2'") == "dead"


async def test_an_answer_that_was_begun_and_never_finished_is_taken_up_again(
    make_web: Make, context: Context, server: FeedServer, outlet: WebhookOutlet
) -> None:
    context, settings = asking(context, server.tell("/taken"))
    web = await make_web(context)
    await Desk(web).receive(foreign())
    await web.value("UPDATE incoming SET answer_tries = 1, answer_at = $1", web.clock.now() + answering.HELD)
    at_work = Answering(context.database, context.clock, outlet, cap.write, DISTRICT)
    assert not await at_work.answer(settings)
    web.clock.advance(answering.HELD.total_seconds())
    assert await at_work.answer(settings)
    assert len(server.asked("/taken")) == 1
