"""Subscribers that are no webhooks: brokers are told over MQTT, platforms are posted the bare CAP message."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import aiomqtt
import pytest

from adapters import cap
from adapters.mqtt import MqttOutlet
from adapters.webhook import WebhookOutlet
from broadcaster.errors import UnavailableError
from broadcaster.outlets import Hook, Manner, NotTold, OutletKind, Outlets, Parcel, Told, is_topic, topic
from broadcaster.retelling import retold
from broadcaster.security.permissions import SYSTEM
from broadcaster.security.sealing import Sealing
from broadcaster.web.language import ENGLISH, catalogue
from broadcaster.webhooks import subscribers
from broadcaster.webhooks.postman import GIVEN_UP, REFUSALS, Postman
from broadcaster.webhooks.subscribers import Wanted
from tests.harness.certificates import certificates
from tests.harness.console import signed_in
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.mosquitto import PASSWORD, USER, Mosquitto, mosquitto
from tests.harness.mqtt_peer import Answer, acknowledges, answering, disconnects
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until
from tests.harness.web import DISTRICT, Web, call_off

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PARCEL = Parcel("1", b"{}", "application/json")
TOPIC = "daohu/{district}/{hazard}/{colour}"
ALERTS = 6
GREETINGS = {"5": b"\x20\x03\0\0\0", "3.1.1": b"\x20\x02\0\0"}
ENDS = 3  # how often the broker ends meanwhile


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as running:
        yield running


@pytest.fixture
async def postman(web: Web) -> AsyncIterator[Postman]:
    over_http = WebhookOutlet(seconds=30)
    outlets = Outlets({OutletKind.WEBHOOK: over_http, OutletKind.CAP: over_http, OutletKind.MQTT: MqttOutlet()})
    base = web.context.settings.web.public_url
    yield Postman(web.database, web.clock, outlets, web.context.secrets, cap.write, base, "w-1")
    await outlets.close()


async def subscribe(web: Web, name: str, url: str, kind: OutletKind, **wanted: Any) -> int:
    made = Wanted(name, url, private=True, kind=kind, **wanted)
    assert subscribers.faults(made) == {}
    return await subscribers.add(web.database, SYSTEM, DISTRICT, made, web.context.secrets, web.clock.now())


async def by_broker(web: Web, broker: Mosquitto, name: str = "screens", **changes: Any) -> int:
    manner = Manner(**{"auth": "basic", "login": USER, "topic": TOPIC, **changes.pop("manner", {})})
    given = {"password": PASSWORD, "manner": manner, **changes}
    return await subscribe(web, name, f"mqtt://127.0.0.1:{broker.port}", OutletKind.MQTT, **given)


async def state(web: Web, subscriber: int) -> list[str]:
    async with web.database.connection() as connection:
        rows = await connection.fetch("SELECT state FROM webhook WHERE subscriber_id = $1 ORDER BY id", subscriber)
    return [row["state"] for row in rows]


class Ear:
    """A subscriber at the broker with a session that outlives connections."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.there = asyncio.Event()

    async def listen(self, port: int, name: str) -> None:
        while True:
            with suppress(aiomqtt.MqttError, OSError):
                async with aiomqtt.Client(
                    "127.0.0.1", port, username=USER, password=PASSWORD, identifier=name, clean_session=False, timeout=5
                ) as client:
                    await client.subscribe("daohu/#", qos=1)
                    self.there.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.heard.append((str(message.topic), json.loads(message.payload)))
            await asyncio.sleep(0.1)


@asynccontextmanager
async def listening(broker: Mosquitto, name: str) -> AsyncIterator[Ear]:
    ear = Ear()
    task = asyncio.create_task(ear.listen(broker.port, name))
    await asyncio.wait_for(ear.there.wait(), 60)
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize(
    ("sign", "lost"),
    [(signal.SIGTERM, False), (signal.SIGKILL, False), (signal.SIGKILL, True)],
    ids=["stopped", "killed", "killed and its disk lost"],
)
async def test_every_alert_arrives_in_its_order_though_the_broker_ends_mid_stream(
    web: Web, postman: Postman, broker: Mosquitto, sign: signal.Signals, lost: bool
) -> None:
    async with listening(broker, f"ear-{sign.name}-{lost}") as ear:
        one = await by_broker(web, broker)
        numbers = [await web.issued(headline=f"第{number}条") for number in range(ALERTS)]

        async def bring() -> bool:
            await postman.bring(one)
            web.clock.advance(5)
            return await state(web, one) == ["delivered"] * ALERTS

        assert await postman.bring(one)
        for _ in range(ENDS):
            bringing = asyncio.create_task(postman.bring(one))
            await asyncio.to_thread(broker.stop, sign)
            await bringing
            before = await state(web, one)
            web.clock.advance(60)
            assert not await bring()
            assert await state(web, one) == before
            ear.there.clear()
            if lost:
                broker.forget()
            await asyncio.to_thread(broker.start)
            await asyncio.wait_for(ear.there.wait(), 60)
            web.clock.advance(60)
        await wait_until(bring, within=120, what="the broker to have all")
        wanted = {f"webhook-{number}" for number in range(1, ALERTS + 1)}
        await wait_until(lambda: {body["id"] for _, body in ear.heard} >= wanted, what="all to be heard")
    first = list(dict.fromkeys(body["headline"] for _, body in ear.heard))
    assert first == [f"第{number}条" for number in range(ALERTS)]
    assert {where for where, _ in ear.heard} == {f"daohu/{DISTRICT}/typhoon/red"}
    identifier = await web.value("SELECT identifier FROM alert WHERE id = $1", numbers[0])
    assert cap.read(ear.heard[0][1]["cap"].encode()).identifier == identifier


async def test_a_topic_that_the_broker_denies_is_told_in_words_and_tried_again(web: Web, postman: Postman) -> None:
    with mosquitto(rules=f"user {USER}\ntopic read #\ntopic write elsewhere/#\n") as strict:
        five = await by_broker(web, strict)
        older = await by_broker(web, strict, "older", manner={"version": "3.1.1"})
        await web.issued()
        async with listening(strict, "strict") as ear:
            assert not await postman.bring(five)
            assert await postman.bring(older)  # its PUBACK cannot say no: MQTT 3.1.1, 3.4
            assert (await state(web, five), await state(web, older), ear.heard) == (["pending"], ["delivered"], [])
            console = await signed_in(web, "administrator", ("administrator", DISTRICT))
            await console.get("/subscribers")
            assert "没有权限发布到这个主题" in console.text
            await console.get("/subscribers?lang=en")
            assert "The MQTT broker has not taken it: we have no right to publish to this topic" in console.text
            assert "a broker with MQTT 3.1.1 cannot say" in console.text
            strict.allow(f"user {USER}\ntopic readwrite #\n")
            manner = Manner(auth="basic", login=USER, topic="anything")
            url = f"mqtt://127.0.0.1:{strict.port}"
            mine = Hook(url, private=True, kind=OutletKind.MQTT, manner=manner, password=PASSWORD)

            async def allowed() -> bool:
                return isinstance(await MqttOutlet().tell(mine, PARCEL, NOW), Told)

            await wait_until(allowed, what="the broker allows it")
            web.clock.advance(5)
            assert await postman.bring(five)
            await wait_until(lambda: ear.heard, what="it to be heard")


async def test_what_is_too_large_for_the_broker_is_given_up_and_holds_up_nothing(web: Web, postman: Postman) -> None:
    with mosquitto(settings="max_packet_size 2200") as small:
        one = await by_broker(web, small)
        await web.issued(description="很长的正文。" * 50)
        await web.issued(headline="短的一条")
        while await postman.bring(one):
            pass
    assert await state(web, one) == ["dead", "delivered"]
    assert "消息太大" in await web.value("SELECT string_agg(reason, ' ') FROM webhook_attempt")


async def test_a_message_over_which_the_broker_ends_the_connection_holds_up_the_next_for_seconds_only(
    web: Web, postman: Postman
) -> None:
    with mosquitto(settings="message_size_limit 2200") as small:
        one = await by_broker(web, small)
        await web.issued(description="很长的正文。" * 50)
        await web.issued(headline="短的一条")
        for wait in (0, 5, 10):
            web.clock.advance(wait)
            assert await state(web, one) == ["pending", "pending"]
            await postman.bring(one)
        assert await postman.bring(one)
    assert await state(web, one) == ["dead", "delivered"]
    assert await web.value("SELECT count(*) FROM webhook_attempt WHERE webhook_id = 1") == REFUSALS


async def test_a_topic_that_the_broker_denies_holds_up_those_of_other_topics_for_seconds_only(
    web: Web, postman: Postman
) -> None:
    with mosquitto(rules=f"user {USER}\ntopic write daohu/{DISTRICT}/typhoon/#\n") as strict:
        one = await by_broker(web, strict)
        await web.issued(hazard="rainstorm", headline="暴雨红色预警")
        await web.issued()
        for wait in (0, 5, 10):
            web.clock.advance(wait)
            await postman.bring(one)
        assert await postman.bring(one)
    assert await state(web, one) == ["dead", "delivered"]


async def test_what_was_given_up_does_not_take_the_place_of_its_cancel_at_the_broker(
    web: Web, postman: Postman
) -> None:
    with mosquitto() as broker:
        manner = {"topic": "daohu/{district}/{hazard}", "retain": True}
        one = await by_broker(web, broker, manner=manner)
        number = await web.issued()
        broker.stop()
        web.clock.advance(GIVEN_UP.total_seconds())
        await postman.bring(one)
        await call_off(web, number)
        console = await signed_in(web, "administrator", ("administrator", DISTRICT))
        await console.get("/subscribers?lang=en")
        broker.start()
        assert await postman.bring(one)
        assert await state(web, one) == ["dead", "delivered"]
        assert (await console.post("/subscribers/webhooks/1/resend")).status == 409
        assert "It has a later Update or Cancel" in console.text
        web.clock.advance(60)
        await web.value("UPDATE webhook SET state = 'pending' WHERE id = 1")  # as when asked for just before the Cancel
        await postman.bring(one)
        assert await state(web, one) == ["dead", "delivered"]
        async with listening(broker, "late") as ear:
            await wait_until(lambda: ear.heard, what="the retained one")
    assert [body["msg_type"] for _, body in ear.heard] == ["Cancel"]


@pytest.mark.parametrize(
    ("answer", "words", "final"),
    [
        (acknowledges(0x87), "没有权限", False),
        (acknowledges(0x97), "超出了配额", False),
        (acknowledges(0x90), "主题不被接受", False),
        (acknowledges(0x99), "内容格式", True),
        (acknowledges(0xFE), "没有收下", False),
        (disconnects(0x95), "消息太大", True),
        (disconnects(0x9B), "QoS 1", False),
        (lambda _: None, "断开了连接", False),
    ],
)
async def test_a_refusal_is_no_consent_and_said_in_two_languages(answer: Answer, words: str, final: bool) -> None:
    async with answering(answer) as port:
        told = await MqttOutlet(seconds=60).tell(_hook(port), PARCEL, NOW)
    assert isinstance(told, NotTold)
    assert (words in told.reason, told.final) == (True, final)
    assert told.reason.isascii() or retold(told.reason, catalogue(ENGLISH)).isascii()


@pytest.mark.parametrize(
    ("answer", "version", "where", "unfit"),
    [
        (disconnects(0x82), "5", "a", True),
        (lambda _: None, "5", "a", True),
        (lambda _: None, "3.1.1", "a", True),
        (acknowledges(0x83), "5", "a", True),
        (acknowledges(0x87), "5", "a/{hazard}", True),
        (acknowledges(0x87), "5", "a", False),
        (acknowledges(0x97), "5", "a/{hazard}", False),
        (disconnects(0x8B), "5", "a", False),
    ],
)
async def test_what_a_broker_refuses_of_one_message_is_told_from_what_it_refuses_of_all(
    answer: Answer, version: Literal["5", "3.1.1"], where: str, unfit: bool
) -> None:
    async with answering(answer, GREETINGS[version]) as port:
        told = await MqttOutlet(seconds=60).tell(_hook(port, version, where), PARCEL, NOW)
    assert isinstance(told, NotTold)
    assert (told.unfit, told.final) == (unfit, False)


async def test_a_broker_that_does_not_let_us_in_says_nothing_of_the_message() -> None:
    for greeting in (b"\x20\x03\0\x80\0", b"\x20\x03\0\x87\0", b""):
        async with answering(lambda _: None, greeting) as port:
            told = await MqttOutlet(seconds=1).tell(_hook(port, where="a/{hazard}"), PARCEL, NOW)
        assert isinstance(told, NotTold)
        assert not told.unfit


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_what_a_broker_does_not_confirm_is_not_told(version: Literal["5", "3.1.1"]) -> None:
    async with answering(lambda _: b"", GREETINGS[version]) as port:
        told = await MqttOutlet(seconds=0.5).tell(_hook(port, version), PARCEL, NOW)
    assert isinstance(told, NotTold)
    assert "没有答复" in told.reason
    async with answering(acknowledges(0x10)) as port:  # nobody has subscribed: the broker has it all the same
        assert await MqttOutlet(seconds=60).tell(_hook(port), PARCEL, NOW) == Told()


async def test_brokers_that_say_nothing_take_no_thread_from_others(broker: Mosquitto) -> None:
    ended = asyncio.Event()
    asked: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        await ended.wait()
        writer.close()

    outlet = MqttOutlet(seconds=600)
    host = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with host:
        port = host.sockets[0].getsockname()[1]
        mute = Hook(f"mqtts://127.0.0.1:{port}", private=True, kind=OutletKind.MQTT, manner=Manner(topic="a"))
        hanging = [asyncio.create_task(outlet.tell(mute, PARCEL, NOW)) for _ in range(40)]
        await wait_until(lambda: len(asked) == len(hanging), what="them to be asked")
        manner = Manner(auth="basic", login=USER, topic="a")
        quick = Hook(
            f"mqtt://127.0.0.1:{broker.port}", private=True, kind=OutletKind.MQTT, manner=manner, password=PASSWORD
        )
        assert await outlet.tell(quick, PARCEL, NOW) == Told()
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 60) == "free"
        assert not any(one.done() for one in hanging)
        ended.set()
        assert all(isinstance(one, NotTold) for one in await asyncio.gather(*hanging))
    await outlet.close()


def _hook(port: int, version: Literal["5", "3.1.1"] = "5", where: str = "a") -> Hook:
    manner = Manner(topic=where, version=version)
    return Hook(f"mqtt://127.0.0.1:{port}", private=True, kind=OutletKind.MQTT, manner=manner)


async def test_updates_and_cancels_are_told_and_drills_never_reach_a_live_broker(
    web: Web, postman: Postman, broker: Mosquitto
) -> None:
    async with listening(broker, "other") as ear:
        live = await by_broker(web, broker)
        drill = await by_broker(web, broker, "drill", rehearsal=True, manner={"version": "3.1.1"})
        number = await web.issued()
        await call_off(web, number)
        exercise = await web.issued(status="Exercise")
        assert await web.value("SELECT array_agg(alert_id) FROM webhook WHERE subscriber_id = $1", drill) == [exercise]
        while await postman.bring(live) or await postman.bring(drill):
            pass
        await wait_until(lambda: len(ear.heard) >= 3, what="three messages")
    assert [(body["msg_type"], body["status"]) for _, body in ear.heard] == [
        ("Alert", "Actual"),
        ("Cancel", "Actual"),
        ("Alert", "Exercise"),
    ]


async def test_what_is_retained_is_heard_by_who_comes_later_and_the_wire_is_encrypted(
    web: Web, postman: Postman, tmp_path: Path
) -> None:
    made_up = certificates(tmp_path)
    with mosquitto(made_up) as secured:
        manner = Manner(
            auth="basic", login=USER, topic=TOPIC, retain=True, authority=made_up.authority.read_text(encoding="utf-8")
        )
        url = f"mqtts://localhost:{secured.tls_port}"
        one = await subscribe(web, "screens", url, OutletKind.MQTT, manner=manner, password=PASSWORD)
        distrustful = Manner(auth="basic", login=USER, topic=TOPIC)
        other = await subscribe(web, "careful", url, OutletKind.MQTT, manner=distrustful, password=PASSWORD)
        await web.issued()
        assert await postman.bring(one)
        assert not await postman.bring(other)
        async with listening(secured, "late") as ear:
            await wait_until(lambda: ear.heard, what="the retained one")


async def test_a_broker_that_refuses_or_says_nothing_delays_no_other(
    web: Web, postman: Postman, broker: Mosquitto, server: FeedServer
) -> None:
    wrong = await by_broker(web, broker, "wrong", password="something else")
    gone = await subscribe(web, "gone", f"mqtt://127.0.0.1:{free_port()}", OutletKind.MQTT, manner=Manner(topic=TOPIC))
    quick = await by_broker(web, broker, "quick")
    await web.issued()
    running = asyncio.create_task(postman.run())

    async def delivered() -> bool:
        return await state(web, quick) == ["delivered"]

    async def tried() -> bool:
        return bool(await web.value("SELECT count(DISTINCT webhook_id) = 3 FROM webhook_attempt"))

    try:
        await wait_until(delivered, what="the quick one is told")
        await wait_until(tried, what="the others are tried")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    reasons = await web.value("SELECT string_agg(reason, ' ') FROM webhook_attempt")
    assert "用户名、口令不对" in reasons
    assert "something else" not in reasons
    assert await state(web, wrong) == await state(web, gone) == ["pending"]


async def test_a_broker_that_never_answers_is_given_up_in_time(broker: Mosquitto) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    host = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with host:
        told = await MqttOutlet(seconds=0.5).tell(_hook(host.sockets[0].getsockname()[1]), PARCEL, NOW)
    assert isinstance(told, NotTold)
    inside = Hook(f"mqtt://localhost:{broker.port}", kind=OutletKind.MQTT, manner=Manner(topic="a"))
    told = await MqttOutlet().tell(inside, PARCEL, NOW)
    assert isinstance(told, NotTold)
    assert "私有网络" in told.reason


@pytest.mark.parametrize(
    ("manner", "header", "value"),
    [
        (Manner(auth="basic", login="county"), "authorization", "Basic " + base64.b64encode(b"county:key").decode()),
        (Manner(auth="bearer"), "authorization", "Bearer key"),
        (Manner(auth="header", login="X-Api-Key"), "x-api-key", "key"),
    ],
)
async def test_a_platform_is_posted_the_bare_message_with_our_proof(
    web: Web, postman: Postman, server: FeedServer, manner: Manner, header: str, value: str
) -> None:
    path = f"/province/{manner.auth}"
    one = await subscribe(web, "province", server.tell(path), OutletKind.CAP, manner=manner, password="key")
    number = await web.issued()
    assert await postman.bring(one)
    (request,) = server.asked(path)
    assert (request["headers"][header], request["headers"]["content-type"]) == (value, "application/cap+xml")
    said = cap.read(request["body"].encode("latin-1"))
    assert said.identifier == await web.value("SELECT identifier FROM alert WHERE id = $1", number)


@pytest.mark.parametrize(("status", "became"), [(409, "delivered"), (422, "dead"), (401, "pending"), (500, "pending")])
async def test_what_a_platform_answers_decides(
    web: Web, postman: Postman, server: FeedServer, status: int, became: str
) -> None:
    one = await subscribe(web, "province", server.tell(f"/says/{status}", status=status), OutletKind.CAP)
    await web.issued()
    await postman.bring(one)
    assert await state(web, one) == [became]


async def test_a_password_is_sealed_never_shown_and_can_be_replaced(
    web: Web, postman: Postman, server: FeedServer
) -> None:
    console = await signed_in(web, "administrator", ("administrator", DISTRICT))
    await console.get("/subscribers")
    given = {"name": "screens", "url": "mqtts://broker.example.cn", "kind": "mqtt", "topic": TOPIC, "side": "live"}
    given |= {"auth": "basic", "login": "county", "password": "very secret"}
    for fault in (
        {"topic": "daohu/+/x"},
        {"topic": "daohu/{town}"},
        {"url": "https://broker.example.cn"},
        {"url": "mqtt://u:p@broker"},
        {"url": "mqtt://broker/path"},
        {"auth": "bearer"},
        {"auth": ""},
        {"login": ""},
        {"authority": "no certificate"},
        {"kind": "webhook", "url": "https://example.cn"},
        {"kind": "cap", "url": "https://example.cn", "auth": "header", "login": "Content-Type"},
    ):
        answer = await console.post("/subscribers", {**given, **fault})
        assert answer.status == 422, fault
        assert "very secret" not in console.text
    assert (await console.post("/subscribers", given)).status == 303
    await console.get("/subscribers?lang=en")
    assert "very secret" not in console.text
    assert "Topic daohu/{district}/{hazard}/{colour}" in console.text
    assert "very secret" not in str(await web.value("SELECT string_agg(s::text, ' ') FROM subscriber s"))
    number = await web.value("SELECT id FROM subscriber")
    assert (await console.post(f"/subscribers/{number}/secret")).status == 404
    assert (await console.post(f"/subscribers/{number}/password", {"password": "another"})).status == 303
    sealed = await web.value("SELECT sealed FROM subscriber")
    assert web.context.secrets.password("screens", sealed) == "another"
    with pytest.raises(UnavailableError):
        Sealing(b"another key").open(sealed, "subscriber:screens")
    with pytest.raises(UnavailableError):
        web.context.secrets.password("somebody else", sealed)
    await console.get("/audit")
    assert "更换订阅者给的口令" in console.text or "Replaced the password" in console.text


def test_a_topic_names_what_an_alert_is_about() -> None:
    assert topic(TOPIC, {"district": "330212", "hazard": "typhoon", "colour": ""}) == "daohu/330212/typhoon/none"
    assert is_topic(TOPIC)
    assert not any(map(is_topic, ("", "a/+", "a/#", "a/{b}", "a/{", "$SYS/x", "a\0")))
