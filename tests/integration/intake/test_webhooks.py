"""Subscribers are told of every alert, signed, at least once, each on its own; drills never reach a live one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from adapters import cap
from adapters.webhook import WebhookOutlet
from broadcaster.alerts.alert import Alert
from broadcaster.outlets import Hook
from broadcaster.security.permissions import SYSTEM
from broadcaster.webhooks import postman as postmen
from broadcaster.webhooks import subscribers
from broadcaster.webhooks.postman import Postman
from broadcaster.webhooks.subscribers import Wanted
from tests.harness.console import signed_in
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until
from tests.harness.web import DISTRICT, Web, call_off

PATIENCE = 180.0


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture
async def postman(web: Web) -> AsyncIterator[Postman]:
    outlet = WebhookOutlet(seconds=30)
    yield made(web, outlet)
    await outlet.close()


def made(web: Web, outlet: WebhookOutlet, owner: str = "w-1") -> Postman:
    base = web.context.settings.web.public_url
    return Postman(web.database, web.clock, outlet, web.context.secrets, cap.write, base, owner)


async def subscribe(web: Web, name: str, url: str, *, rehearsal: bool = False, private: bool = True) -> int:
    wanted = Wanted(name, url, rehearsal, private)
    return await subscribers.add(web.database, SYSTEM, DISTRICT, wanted, web.context.secrets, web.clock.now())


async def state(web: Web, subscriber: int) -> list[str]:
    async with web.database.connection() as connection:
        rows = await connection.fetch("SELECT state FROM webhook WHERE subscriber_id = $1 ORDER BY id", subscriber)
    return [row["state"] for row in rows]


def verified(web: Web, subscriber: int, request: dict[str, Any]) -> dict[str, Any]:
    """The body, once an implementation of Standard Webhooks that nobody here wrote holds its signature for good; it
    goes by the wall clock, so the time is looked at apart."""
    secret = web.context.secrets.shown(subscriber, 1)
    judge = Webhook(secret)
    headers = request["headers"]
    body = request["body"].encode("latin-1").decode()
    stamped = web.clock.now()
    assert headers["webhook-timestamp"] == str(int(stamped.timestamp()))
    assert headers["webhook-signature"] == judge.sign(headers["webhook-id"], stamped, body)
    with pytest.raises(WebhookVerificationError):  # hours or years ago, for that clock
        judge.verify(body, headers)
    found: dict[str, Any] = json.loads(body)
    return found


async def test_an_alert_is_pushed_signed_with_its_cap(web: Web, postman: Postman, server: FeedServer) -> None:
    one = await subscribe(web, "platform", server.tell("/push"))
    number = await web.issued()
    assert await state(web, one) == ["pending"]
    assert await postman.bring(one)
    assert not await postman.bring(one)
    assert await state(web, one) == ["delivered"]
    (request,) = server.asked("/push")
    message = verified(web, one, request)
    identifier = await web.value("SELECT identifier FROM alert WHERE id = $1", number)
    assert (message["type"], message["identifier"], message["status"]) == ("alert.issued", identifier, "Actual")
    assert cap.read(message["cap"].encode()).identifier == identifier
    answer = await web.client.get(message["url"].removeprefix("http://127.0.0.1:8480"))
    assert await answer.text() == message["cap"]


async def test_drills_never_reach_a_live_subscriber_nor_real_alerts_a_drills(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    live = await subscribe(web, "live", server.tell("/live"))
    drill = await subscribe(web, "drill", server.tell("/drill"), rehearsal=True)
    off = await subscribe(web, "off", server.tell("/off"))
    await subscribers.switch(web.database, SYSTEM, DISTRICT, off, web.clock.now(), active=False)
    exercise = await web.issued(status="Exercise")
    real = await web.issued(headline="实战")
    await web.issued(headline="内部", scope="Restricted")
    assert await web.value("SELECT array_agg(alert_id) FROM webhook WHERE subscriber_id = $1", live) == [real]
    assert await web.value("SELECT array_agg(alert_id) FROM webhook WHERE subscriber_id = $1", drill) == [exercise]
    assert await state(web, off) == []
    await web.value("UPDATE webhook SET alert_id = $1 WHERE subscriber_id = $2", exercise, live)  # by whatever mistake
    for subscriber in (live, drill):
        await postman.bring(subscriber)
    assert (await state(web, live), server.asked("/live")) == (["dead"], [])
    assert [verified(web, drill, one)["status"] for one in server.asked("/drill")] == ["Exercise"]


async def test_who_was_switched_off_is_told_of_what_was_issued_meanwhile_and_is_in_force(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    await web.issued(headline="先前的")
    web.clock.advance(60)
    one = await subscribe(web, "platform", server.tell("/rested"))
    number = await web.issued(headline="先发的")
    assert await postman.bring(one)

    async def switch(active: bool) -> None:
        await subscribers.switch(web.database, SYSTEM, DISTRICT, one, web.clock.now(), active=active)

    await switch(active=False)
    web.clock.advance(60)
    await call_off(web, number)
    await web.issued(headline="演练", status="Exercise")
    await web.issued(headline="内部", scope="Restricted")
    over = await web.issued(headline="已过的")
    await web.value("UPDATE alert SET state = 'ended' WHERE id = $1 RETURNING id", over)
    web.clock.advance(60)
    await web.issued(headline="后发的")
    await switch(active=True)
    while await postman.bring(one):
        pass
    told = [json.loads(request["body"].encode("latin-1")) for request in server.asked("/rested")]
    assert [said["msg_type"] for said in told] == ["Alert", "Cancel", "Alert"]
    assert (told[0]["headline"], told[2]["headline"]) == ("先发的", "后发的")


async def test_what_waited_for_a_day_and_is_over_is_not_told_any_more(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    one = await subscribe(web, "platform", server.tell("/late"))
    number = await web.issued()
    await subscribers.switch(web.database, SYSTEM, DISTRICT, one, web.clock.now(), active=False)
    web.clock.advance(postmen.GIVEN_UP.total_seconds())
    await web.value("UPDATE alert SET state = 'ended' WHERE id = $1 RETURNING id", number)
    await subscribers.switch(web.database, SYSTEM, DISTRICT, one, web.clock.now(), active=True)
    await postman.bring(one)
    assert (await state(web, one), server.asked("/late")) == (["dead"], [])


async def test_what_is_not_issued_is_told_to_nobody(web: Web, server: FeedServer) -> None:
    one = await subscribe(web, "platform", server.tell("/none"))
    number = await web.draft(regions=["330212199"])
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 2})
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/issue", json={})).status == 422
    assert await state(web, one) == []


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [(500, {}, 5.0), (302, {"Location": "http://127.0.0.1/"}, 5.0), (429, {"Retry-After": "90"}, 90.0), (404, {}, 5.0)],
)
async def test_what_fails_is_tried_again_later(
    web: Web, postman: Postman, server: FeedServer, status: int, headers: dict[str, str], wait: float
) -> None:
    path = f"/again/{status}"
    one = await subscribe(web, "platform", server.tell(path, status=status, headers=headers))
    await web.issued()
    assert not await postman.bring(one)
    server.tell(path)
    web.clock.advance(wait - 1)
    assert not await postman.bring(one)
    web.clock.advance(1)
    assert await postman.bring(one)
    assert await state(web, one) == ["delivered"]
    asked = [request["headers"]["webhook-id"] for request in server.asked(path)]
    assert len(asked) == 2
    assert len(set(asked)) == 1
    reasons = await web.value("SELECT array_agg(reason ORDER BY number) FROM webhook_attempt")
    assert reasons == [f"HTTP {status}", ""]


def test_pauses_grow_up_to_five_minutes_and_what_is_asked_for_is_kept_up_to_an_hour() -> None:
    assert [postmen.pause(attempts, None) for attempts in (1, 2, 3, 50)] == [5, 10, 20, 300]
    assert [postmen.pause(1, asked) for asked in (60.0, 1e9)] == [60, 3600]


async def test_a_message_that_cannot_be_written_holds_up_none_after_it(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    one = await subscribe(web, "one", server.tell("/hook"))
    await web.issued(headline="写不成的")
    await web.issued(headline="写得成的")

    def write(alert: Alert) -> bytes:
        if alert.infos[0].headline == "写不成的":
            raise ValueError("unwritable")
        return cap.write(alert)

    faulty = replace(postman, write=write)
    while await faulty.bring(one):
        pass
    assert await state(web, one) == ["dead", "delivered"]
    assert "程序出错" in await web.value("SELECT string_agg(reason, ' ') FROM webhook_attempt")


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_message_that_is_refused_holds_up_the_next_for_seconds_only(
    web: Web, postman: Postman, server: FeedServer, status: int
) -> None:
    path = f"/refused/{status}"
    one = await subscribe(web, "platform", server.tell(path, status=status))
    await web.issued(headline="先")
    await web.issued(headline="后")
    for wait in (0, 5, 10):
        web.clock.advance(wait)
        assert await state(web, one) == ["pending", "pending"]
        await postman.bring(one)
    server.tell(path)
    assert await postman.bring(one)
    assert await state(web, one) == ["dead", "delivered"]
    async with web.database.connection() as connection:
        (given_up,) = await subscribers.dead(connection)
    assert (given_up.reason, given_up.attempts) == (f"HTTP {status}", postmen.REFUSALS)


async def test_refusals_count_only_in_succession(web: Web, postman: Postman, server: FeedServer) -> None:
    one = await subscribe(web, "platform", server.tell("/moody"))
    await web.issued()
    for status in (503, 400, 400, 503, 400, 400):
        server.tell("/moody", status=status)
        await postman.bring(one)
        web.clock.advance(postmen.LONGEST)
    assert await state(web, one) == ["pending"]
    await postman.bring(one)
    assert await state(web, one) == ["dead"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_what_is_wrong_with_us_the_address_or_the_moment_is_waited_for(
    web: Web, postman: Postman, server: FeedServer, status: int
) -> None:
    one = await subscribe(web, "platform", server.tell(f"/waits/{status}", status=status))
    await web.issued()
    for _ in range(postmen.REFUSALS * 3):
        await postman.bring(one)
        web.clock.advance(postmen.LONGEST)
    assert await state(web, one) == ["pending"]


async def test_what_is_given_up_can_be_sent_again(web: Web, postman: Postman, server: FeedServer) -> None:
    one = await subscribe(web, "platform", server.tell("/lost", status=503))
    await web.issued()
    await postman.bring(one)
    web.clock.advance(postmen.GIVEN_UP.total_seconds())
    await postman.bring(one)
    assert await state(web, one) == ["dead"]
    console = await signed_in(web, "administrator", ("administrator", DISTRICT))
    await console.get("/subscribers")
    assert "HTTP 503" in console.text
    server.tell("/lost")
    number = await web.value("SELECT id FROM webhook")
    assert (await console.post(f"/subscribers/webhooks/{number}/resend")).status == 303
    assert (await console.post(f"/subscribers/webhooks/{number}/resend")).status == 404
    assert await postman.bring(one)
    assert await state(web, one) == ["delivered"]
    gone = await subscribe(web, "gone", server.tell("/gone", status=410))
    await web.issued(headline="又一条")
    await postman.bring(gone)
    assert await state(web, gone) == ["dead"]


async def test_a_later_message_never_overtakes_an_earlier_one(web: Web, postman: Postman, server: FeedServer) -> None:
    one = await subscribe(web, "platform", server.tell("/order", status=500))
    await web.issued(headline="先")
    await web.issued(headline="后")
    assert not await postman.bring(one)
    assert not await postman.bring(one)
    server.tell("/order")
    web.clock.advance(5)
    assert await postman.bring(one)
    assert await postman.bring(one)
    told = [json.loads(request["body"].encode("latin-1"))["headline"] for request in server.asked("/order")]
    assert told == ["先", "先", "后"]


async def test_one_that_hangs_delays_nobody(web: Web, postman: Postman, server: FeedServer) -> None:
    for number in range(8):
        await subscribe(web, f"slow{number}", server.tell(f"/slow/{number}", mood="hang"))
    quick = await subscribe(web, "quick", server.tell("/quick"))
    await web.issued()
    running = asyncio.create_task(postman.run())

    async def delivered() -> bool:
        return await state(web, quick) == ["delivered"]

    try:
        await wait_until(delivered, what="the quick one is told while the others hang")
        await wait_until(lambda: all(server.asked(f"/slow/{one}") for one in range(8)))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_a_dead_worker_was_bringing_is_brought_again_under_its_id(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    one = await subscribe(web, "platform", server.tell("/dead", mood="hang"))
    await web.issued()
    bringing = asyncio.create_task(postman.bring(one))
    await wait_until(lambda: server.asked("/dead"))
    bringing.cancel()
    await asyncio.gather(bringing, return_exceptions=True)
    server.tell("/dead")
    outlet = WebhookOutlet()
    other = made(web, outlet, "w-2")
    assert not await other.bring(one)  # the lease stands
    await web.value("UPDATE webhook SET lease_until = clock_timestamp() - interval '1 second'")
    assert await other.bring(one)
    await outlet.close()
    assert await state(web, one) == ["delivered"]
    assert {request["headers"]["webhook-id"] for request in server.asked("/dead")} == {"webhook-1"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/in", "http://localhost:{}/in", "http://[::ffff:127.0.0.1]:{}/in"])
async def test_a_private_address_is_refused_unless_it_is_allowed(
    web: Web, postman: Postman, server: FeedServer, url: str
) -> None:
    one = await subscribe(web, "inside", url.format(server.port), private=False)
    await web.issued()
    assert not await postman.bring(one)
    assert "私有网络" in await web.value("SELECT reason FROM webhook_attempt")
    assert server.asked("/in") == []


async def test_a_killed_worker_loses_nothing(
    web: Web, server: FeedServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "daohu.toml").write_text(
        f'[data]\ndir = "{tmp_path / "data"}"\n[database]\nurl = "{database_url}"\n[redis]\nurl = "{redis_url}"\n'
        f'[district]\ncode = "{DISTRICT}"\nname = "鄞州区"\n',
        encoding="utf-8",
    )
    one = await subscribe(web, "platform", server.tell("/kill", mood="hang"))
    await web.issued()

    async def delivered() -> bool:
        return await state(web, one) == ["delivered"]

    with DaohuProcess("worker", folder=tmp_path) as worker:
        await wait_until(lambda: server.asked("/kill"), within=PATIENCE, what="the worker brings it")
        worker.kill()
    assert await state(web, one) == ["pending"]
    server.tell("/kill")
    await web.value("UPDATE webhook SET lease_until = clock_timestamp(), queued_at = clock_timestamp()")
    with DaohuProcess("worker", folder=tmp_path, name="again"):
        await wait_until(delivered, within=PATIENCE, what="the next worker brings it")
    assert len(server.asked("/kill")) == 2
    assert {request["headers"]["webhook-id"] for request in server.asked("/kill")} == {"webhook-1"}


async def test_a_secret_is_shown_once_and_can_be_renewed(web: Web, server: FeedServer, postman: Postman) -> None:
    console = await signed_in(web, "administrator", ("administrator", DISTRICT))
    await console.get("/subscribers")
    given = {"name": "platform", "url": server.tell("/secret"), "side": "live", "private": "yes"}
    answer = await console.post("/subscribers", given)
    first = web.context.secrets.shown(1, 1)
    assert (answer.status, first in console.text) == (200, True)
    await console.get("/subscribers")
    assert "whsec_" not in console.text
    assert (await console.post("/subscribers", given)).status == 422
    await console.post("/subscribers/1/secret")
    second = web.context.secrets.shown(1, 2)
    assert second in console.text
    assert first != second
    for fault in ({"name": "Platform 1"}, {"url": "ftp://x"}, {"url": "http://user:key@x/"}, {"url": "http://[x/"}):
        assert (await console.post("/subscribers", {**given, "name": "other", **fault})).status == 422
    await web.issued()
    await console.post("/subscribers/1/off")
    assert not await postman.bring(1)
    await console.post("/subscribers/1/on")
    assert await postman.bring(1)
    await console.get("/subscribers?lang=en")
    assert "Add a subscriber" in console.text
    actions = await web.value("SELECT array_agg(action ORDER BY seq) FROM audit_entry WHERE subject ~ '^subscriber:'")
    assert actions == ["subscriber.add", "subscriber.secret", "subscriber.switch", "subscriber.switch"]
    assert "whsec" not in str(await web.value("SELECT string_agg(s::text, ' ') FROM subscriber s"))
    officer = await signed_in(web, "officer", ("author", DISTRICT))
    assert (await officer.get("/subscribers")).status == 403


def test_a_hook_does_not_show_its_secret() -> None:
    assert "octets" not in repr(Hook("http://x", b"octets", password="octets"))
