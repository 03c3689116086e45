"""The rehearsal as WeChat's platforms, against wechatpy, which nobody here wrote: a client that opens and seals too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import requests
import xmltodict
from aiohttp import web
from wechatpy import WeChatClient
from wechatpy.enterprise import WeChatClient as WecomClient
from wechatpy.exceptions import WeChatClientException

from broadcaster.ports import Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import (
    AGENT,
    APPID,
    CORPID,
    TEMPLATE,
    Account,
    Behaviour,
    Delay,
    Duty,
    Fronts,
    OfficialFront,
    Script,
    WecomFront,
)
from tests.harness.waiting import wait_until
from tests.harness.wechat_notice import AES_KEY, CRYPTO, TOKEN, plain_signature

SECRET = "secret-of-an-account"
OPENID = "oDaohuRehearsal0000000000001"
VALUES = {
    "thing1": "台风红色预警", "thing2": "鄞州区应急管理局", "time3": "2026年11月27日 21:30", "thing4": "下应街道",
    "thing5": "立即转移",
}  # fmt: skip
ASKED = {**VALUES, "thing5": "立即落实，收到请回复1"}
CARD = {
    "msgtype": "template_card",
    "template_card": {
        "card_type": "button_interaction",
        "main_title": {"title": "台风红色预警", "desc": "下应街道"},
        "sub_title_text": "请立即到岗。",
        "task_id": "7-12-1",
        "button_list": [{"text": "收到", "style": 1, "key": "1"}],
    },
}
AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=0.5, duty=Duty(silent=1))
ROBOT = "693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa"


def at_once(**changes: object) -> Behaviour:
    return msgspec.structs.replace(AT_ONCE, **changes)


@dataclass
class Door:
    """Where the platforms call: it lets the first `refusing` calls wait, and says `answer` to the others."""

    port: int = 0
    refusing: int = 0
    answer: bytes = b"success"
    queries: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/callbacks/gzh"

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.refusing:
            self.refusing -= 1
            return web.Response(status=503)
        self.queries.append(dict(request.query))
        self.bodies.append(body)
        return web.Response(body=self.answer)

    async def opened(self, count: int, owner: str = APPID) -> list[dict[str, Any]]:
        """The first `count` notices, opened by wechatpy, in the order in which they came."""
        await self.until(count)
        crypto = CRYPTO[owner](TOKEN, AES_KEY, owner)
        return [
            xmltodict.parse(crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"]))[
                "xml"
            ]
            for query, body in zip(self.queries, self.bodies, strict=True)
        ]

    async def until(self, count: int) -> None:
        async def there() -> bool:
            return len(self.bodies) >= count

        await wait_until(there, within=30, what=f"{count} calls")


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    made = Door()
    app = web.Application()
    app.router.add_post("/callbacks/gzh", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def platforms(
    folder: Path, called: Door, behaviour: Behaviour = AT_ONCE, **official: object
) -> AsyncIterator[RehearsalProcess]:
    calls: dict[str, Any] = {"call_back": called.address, "token": TOKEN, "aes_key": AES_KEY}
    account: dict[str, Any] = {**calls, **official}
    fronts = Fronts(official=OfficialFront(**account), wecom=WecomFront(**calls, robots={"xiaying": ROBOT}))
    accounts = {APPID: Account(password=SECRET), CORPID: Account(password=SECRET)}
    async with RehearsalProcess(folder, Script(wechat=behaviour, accounts=accounts, fronts=fronts)) as rehearsal:
        yield rehearsal


def base(rehearsal: RehearsalProcess, front: str) -> str:
    return f"http://127.0.0.1:{rehearsal.fronts[front].port}/cgi-bin/"


async def token(rehearsal: RehearsalProcess, secret: str = SECRET) -> dict[str, Any]:
    """What stable_token says, which wechatpy is too old to know."""
    given = {"grant_type": "client_credential", "appid": APPID, "secret": secret}
    async with aiohttp.ClientSession() as session:
        async with session.post(base(rehearsal, "official") + "stable_token", json=given) as answer:
            found: dict[str, Any] = await answer.json()
            return found


async def account(rehearsal: RehearsalProcess) -> WeChatClient:
    """wechatpy as the official account's program, with a token."""
    client = WeChatClient(APPID, SECRET, access_token=(await token(rehearsal))["access_token"], auto_retry=False)
    for one in (client, client.message, client.template, client.qrcode):
        one.API_BASE_URL = base(rehearsal, "official")
    return client


async def office(rehearsal: RehearsalProcess) -> WecomClient:
    """wechatpy as the program of an office's app, with a token."""
    query = {"corpid": CORPID, "corpsecret": SECRET}
    async with aiohttp.ClientSession() as session:
        async with session.get(base(rehearsal, "wecom") + "gettoken", params=query) as answer:
            given = await answer.json()
    client = WecomClient(CORPID, SECRET, access_token=given["access_token"], auto_retry=False)
    for one in (client, client.message):
        one.API_BASE_URL = base(rehearsal, "wecom")
    return client


async def asked(call: Callable[..., Any], *arguments: Any, **more: Any) -> dict[str, Any]:
    """What the platform answers, errcodes included."""
    try:
        found: dict[str, Any] = await asyncio.to_thread(call, *arguments, **more)
    except WeChatClientException as problem:
        return {"errcode": problem.errcode}
    return found


async def sent(client: WeChatClient, to: str = OPENID, values: dict[str, str] = VALUES, **more: Any) -> dict[str, Any]:
    data = {name: {"value": value} for name, value in values.items()}
    message = {"touser": to, "template_id": TEMPLATE, "data": data, **more}
    return await asked(client.post, "message/template/send", data=message)


async def acknowledged(rehearsal: RehearsalProcess, account: str = APPID) -> None:
    async def all_of_it() -> bool:
        counts = (await rehearsal.client.stats())[account]
        return counts.receipts_waiting + counts.replies_waiting == 0

    await wait_until(all_of_it, within=30, what="everything to be acknowledged")


async def test_wechatpys_template_message_is_taken_and_its_end_told(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        called.refusing = 1
        client = await account(rehearsal)
        listed = await asked(client.template.get_all_private_template)
        data = {name: {"value": value} for name, value in VALUES.items()}
        answer = await asked(client.message.send_template, OPENID, TEMPLATE, data, url="http://e.cn/r/1")
        (event,) = await called.opened(1)
        await acknowledged(rehearsal)
        report = rehearsal.report()
    assert [one["template_id"] for one in listed["template_list"]] == [TEMPLATE]
    assert answer["errcode"] == 0
    assert (event["Event"], event["MsgID"], event["Status"], event["FromUserName"]) == (
        "TEMPLATESENDJOBFINISH", str(answer["msgid"]), "success", OPENID,
    )  # fmt: skip
    (query,) = called.queries
    assert query["encrypt_type"] == "aes"
    assert query["signature"] == plain_signature(query["timestamp"], query["nonce"])
    (one,) = report.taken
    assert (one.alert, one.address, one.ref) == (0, OPENID, event["MsgID"])
    assert report.texts[one.text_hash].endswith("涉及区域：下应街道\n请您：立即转移")
    assert report.acknowledged_receipts == {one.ref}
    assert report.losses == []


async def test_what_an_account_may_not_do_is_said_with_the_platforms_code(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        assert (await token(rehearsal, "another-secret-than-that"))["errcode"] == 40125
        client = await account(rehearsal)
        assert (await sent(client, values={**VALUES, "thing5": "立" * 21}))["errcode"] == 47003
        assert (await sent(client, values={**VALUES, "time3": "今晚"}))["errcode"] == 47003
        assert (await sent(client, template_id="another"))["errcode"] == 40037
        assert (await sent(client, "xStranger000000000000000000x"))["errcode"] == 40003
        assert (await sent(client, "wecom:zhangsan"))["errcode"] == 40003
        assert (await asked(client.post, "message/template/send", data="no JSON"))["errcode"] == 47001
        assert (await asked(client.post, "menu/create", data={}))["errcode"] == 40066
        client.session.set(client.access_token_key, "forged")
        assert (await sent(client))["errcode"] == 40014
        assert rehearsal.report().taken == []


async def test_whoever_left_is_refused_and_all_wait_for_the_quota(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called, at_once(refuse={"43019": 1.0}), busy=45011) as rehearsal:
        client = await account(rehearsal)
        assert (await sent(client))["errcode"] == 43019
        await rehearsal.client.behave(Medium.WECHAT, refuse={}, busy=1)
        assert (await sent(client))["errcode"] == 45011
        await rehearsal.client.behave(Medium.WECHAT, busy=0)
        await rehearsal.client.follow(APPID, OPENID, follows=False)
        assert (await sent(client))["errcode"] == 43004
        await rehearsal.client.follow(APPID, OPENID)
        assert (await sent(client))["errcode"] == 0
        report = rehearsal.report()
    assert len(report.taken) == 1
    assert [why for *_, why in report.refused] == ["43019"]


async def test_what_comes_again_goes_out_once_and_is_named_by_the_key(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        client = await account(rehearsal)
        first = await sent(client, client_msg_id="7-12")
        assert await sent(client, client_msg_id="7-12") == first
        other = await sent(client, OPENID[:-1] + "2", client_msg_id="7-12")
        assert other["msgid"] != first["msgid"]
        report = rehearsal.report()
    assert [(one.alert, one.ordinal, one.attempt) for one in report.taken] == [(7, 12, 1), (7, 12, 1)]


async def test_a_token_is_the_same_for_all_and_comes_to_its_end(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called, lasts=3) as rehearsal:
        client = await account(rehearsal)
        assert (await token(rehearsal))["access_token"] == client.access_token

        async def ended() -> bool:
            return bool((await sent(client))["errcode"] == 42001)

        await wait_until(ended, within=30, what="the token to end")
        assert (await sent(await account(rehearsal)))["errcode"] == 0


async def test_followers_write_press_keys_come_and_go(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called, menu=("求助",)) as rehearsal:
        client = await account(rehearsal)
        said = await rehearsal.client.say(APPID, OPENID, "收到]]>，正在转移 <1>")
        assert [one["Content"] for one in await called.opened(1)] == ["收到]]>，正在转移 <1>"]
        await rehearsal.client.say(APPID, OPENID, "求助")
        await called.until(2)
        await rehearsal.client.follow(APPID, OPENID, scene="region:330212")
        await called.until(3)
        await rehearsal.client.follow(APPID, OPENID, follows=False)
        await called.until(4)
        await rehearsal.client.follow(APPID, OPENID, scene="region:330212")
        notices = await called.opened(5)
        await acknowledged(rehearsal)
        scene = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "region:330212"}}}
        codes = [await asked(client.qrcode.create, scene) for _ in range(2)]
    assert notices[0]["MsgId"] == said
    assert [(one["MsgType"], one.get("Event"), one.get("EventKey")) for one in notices[1:]] == [
        ("event", "CLICK", "求助"),
        ("event", "SCAN", "region:330212"),
        ("event", "unsubscribe", None),
        ("event", "subscribe", "qrscene_region:330212"),
    ]
    assert codes[0] == codes[1]
    assert codes[0]["url"].startswith("http://weixin.qq.com/q/")
    assert notices[2]["Ticket"] == codes[0]["ticket"]


async def test_in_the_open_mode_notices_are_signed_and_not_sealed(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called, aes_key="") as rehearsal:
        await account(rehearsal)
        await rehearsal.client.say(APPID, OPENID, "收到")
        await called.until(1)
    (query,), (body,) = called.queries, called.bodies
    assert query["signature"] == plain_signature(query["timestamp"], query["nonce"])
    assert "msg_signature" not in query
    assert xmltodict.parse(body)["xml"]["Content"] == "收到"


async def test_an_answer_that_the_platform_cannot_read_is_counted(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        await account(rehearsal)
        answer = (
            f"<xml><ToUserName>{OPENID}</ToUserName><FromUserName>gh</FromUserName><CreateTime>1</CreateTime>"
            "<MsgType>text</MsgType><Content>已登记</Content></xml>"
        )
        called.answer = CRYPTO[APPID](TOKEN, AES_KEY, APPID).encrypt_message(answer, "nonce", "1").encode()
        await rehearsal.client.say(APPID, OPENID, "收到")
        await called.until(1)
        await acknowledged(rehearsal)
        assert (await rehearsal.client.stats())[APPID].protocol_errors == 0
        for count, wrong in enumerate((answer.encode(), called.answer.replace(b"<Encrypt>", b"<Encrypt>x"), b"ok"), 1):
            called.answer = wrong
            await rehearsal.client.say(APPID, OPENID, "收到")
            await called.until(1 + count)
            await acknowledged(rehearsal)
            assert (await rehearsal.client.stats())[APPID].protocol_errors == count


async def test_members_get_texts_and_whoever_is_none_is_named(tmp_path: Path) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        client = await office(rehearsal)
        both = await asked(client.message.send_text, AGENT, ["ZhangSan", "nobody1"], "请立即转移")
        alone = await asked(client.message.send_text, AGENT, ["nobody1"], "请立即转移")
        checked = {"touser": "lisi", "agentid": AGENT, "msgtype": "text", "text": {"content": "请立即转移"}}
        again = [
            await asked(client.post, "message/send", data={**checked, "enable_duplicate_check": 1}) for _ in range(2)
        ]
        nonsense = await asked(client.post, "message/send", data={**checked, "msgtype": "file"})
        await rehearsal.client.follow(CORPID, "wecom:lisi", follows=False)
        left = await asked(client.message.send_text, AGENT, ["lisi"], "请立即转移到安置点")
        report = rehearsal.report()
    assert (both["errcode"], both["invaliduser"]) == (0, "nobody1")
    assert (alone["errcode"], left["errcode"], nonsense["errcode"]) == (81013, 81013, 40008)
    assert again[0] == again[1]
    assert [one.address for one in report.taken] == ["wecom:zhangsan", "wecom:lisi"]


async def test_a_text_whose_answer_was_lost_goes_out_once(tmp_path: Path) -> None:
    text = {"touser": "lisi", "agentid": AGENT, "msgtype": "text", "text": {"content": "请立即转移"}}
    message = {**text, "enable_duplicate_check": 1}
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        client = await office(rehearsal)
        await rehearsal.client.behave(Medium.WECHAT, faults={"cut": 1, "cut_taken": 1})
        with pytest.raises(requests.ConnectionError):
            await asyncio.to_thread(client.post, "message/send", data=message)
        await rehearsal.client.behave(Medium.WECHAT, faults={"cut": 0})
        again = await asked(client.post, "message/send", data=message)
        report = rehearsal.report()
    assert [one.ref for one in report.taken] == [again["msgid"]]


async def test_who_is_asked_by_a_card_presses_its_button(tmp_path: Path) -> None:
    ready = at_once(duty=Duty(silent=0, after=Delay()))
    async with door() as called, platforms(tmp_path, called, ready) as rehearsal:
        called.answer = b""
        client = await office(rehearsal)
        answer = await asked(client.message.send, AGENT, ["zhangsan"], msg=CARD)
        (event,) = await called.opened(1, CORPID)
        await rehearsal.client.press(CORPID, "wecom:zhangsan")
        again = (await called.opened(2, CORPID))[1]
        await acknowledged(rehearsal, CORPID)
        report = rehearsal.report()
    assert answer["errcode"] == 0
    for one in (event, again):
        assert (one["Event"], one["EventKey"], one["TaskId"], one["FromUserName"], one["AgentID"]) == (
            "template_card_event", "1", "7-12-1", "zhangsan", str(AGENT),
        )  # fmt: skip
    (card,) = report.taken
    assert (card.alert, card.ordinal, card.attempt, card.address) == (7, 12, 1, "wecom:zhangsan")
    assert [(address, text) for _, address, text, _ in report.replies] == [("wecom:zhangsan", "1")] * 2


async def test_a_robot_says_twenty_things_a_minute(tmp_path: Path) -> None:
    said = {"msgtype": "text", "text": {"content": "请立即转移"}}
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        async with aiohttp.ClientSession(base_url=base(rehearsal, "wecom")) as session:

            async def post(key: str, content: dict[str, Any] = said) -> int:
                async with session.post("webhook/send", params={"key": key}, json=content) as answer:
                    code: int = (await answer.json())["errcode"]
                    return code

            assert [await post(ROBOT) for _ in range(21)] == [0] * 20 + [45009]
            assert await post("another") == 93000
            assert await post(ROBOT, {"msgtype": "text", "text": {"content": "立" * 700}}) == 40008
        report = rehearsal.report()
    assert {one.address for one in report.taken} == {"group:xiaying"}


async def spoken(rehearsal: RehearsalProcess, *pieces: bytes) -> bytes:
    """What comes back on one connection, until it is closed."""
    at = rehearsal.fronts["official"]
    reader, writer = await asyncio.open_connection(at.host, at.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(60):
        found = await reader.read()
    writer.close()
    return found


async def test_it_speaks_http(tmp_path: Path) -> None:
    body = b'{"grant_type":"client_credential","appid":"%b","secret":"%b"}' % (APPID.encode(), SECRET.encode())
    head = b"POST /cgi-bin/stable_token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        both = await spoken(rehearsal, head + b"\r\n" + body + head + b"Connec", b"tion: close\r\n\r\n" + body)
        assert both.count(b"HTTP/1.1 200 OK") == both.count(b"access_token") == 2
        for wrong in (
            b"EHLO me\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            b"GET /?" + b"a=1&" * 60 + b" HTTP/1.1\r\n\r\n",
            b"x" * 20_000,
        ):
            assert (await spoken(rehearsal, wrong)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("fault", ["cut", "half_open", "garbage"])
async def test_accidents_of_a_connection_happen_here_too(tmp_path: Path, fault: str) -> None:
    async with door() as called, platforms(tmp_path, called) as rehearsal:
        client = await account(rehearsal)
        await rehearsal.client.behave(Medium.WECHAT, faults={fault: 1})
        client.timeout = 1
        with pytest.raises(requests.RequestException):
            await asyncio.to_thread(client.message.send_template, OPENID, TEMPLATE, {
                name: {"value": value} for name, value in VALUES.items()
            })  # fmt: skip
        await rehearsal.client.behave(Medium.WECHAT, faults={fault: 0})
        assert (await sent(client))["errcode"] == 0
