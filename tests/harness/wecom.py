"""企业微信 as its documents describe it: gettoken, message/send with texts and cards, robots in groups, callbacks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.harness.cloud import Cloud
from tests.harness.platform import Platform, now
from tests.harness.wechat_notice import CORPID, sealed, xml

SECRET = "rehearsal-secret-of-the-app-01234567890123"
AGENT = 1000002
ROBOT_KEY = "693a91f6-7aoc-4bc4-97a0-0ec2sifa5{:03}"
GROUPS = 80
STRANGER, UNLICENSED = "stranger", "unlicensed"
MOST_IN_A_MINUTE = 20


class Wecom(Platform):
    busy = "45009"
    first_word = 1_000_000_000_000

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()
        self.requests: list[dict[str, Any]] = []
        self.group_messages: Counter[str] = Counter()

    def verify(self, request: web.Request, body: bytes) -> web.Response | None:
        if request.path in ("/cgi-bin/gettoken", "/cgi-bin/webhook/send", "/"):
            return None
        shown = request.query.get("access_token", "")
        return None if shown and shown == self.token else self.refused("42001" if shown else "41001", 200)

    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        match request.path:
            case "/cgi-bin/gettoken":
                return self.grant(request.query)
            case "/cgi-bin/message/send":
                instead = await self.treated(request)
                return instead or await self.send(request, body)
            case "/cgi-bin/webhook/send":
                instead = await self.treated(request)
                return instead or await self.post(request, json.loads(body))
        return web.Response(status=404)

    def grant(self, given: Mapping[str, str]) -> web.Response:
        if given.get("corpid") != CORPID:
            return self.refused("40013", 200)
        if given.get("corpsecret") != SECRET:
            return self.refused("40001", 200)
        self.tokens_given += 1
        self.token = self.token or f"corp-token-{self.tokens_given}"
        return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": self.token, "expires_in": 7200})

    async def send(self, request: web.Request, body: bytes) -> web.StreamResponse:
        given = json.loads(body)
        if given["agentid"] != AGENT:
            return self.refused("40056", 200)
        members = given["touser"].split("|")
        assert len(members) <= 1000
        assert given["enable_duplicate_check"] == 1
        assert 0 < given["duplicate_check_interval"] <= 4 * 3600
        unknown = [one for one in members if one.startswith(STRANGER)]
        unlicensed = [one for one in members if one.startswith(UNLICENSED)]
        if len(unknown) + len(unlicensed) == len(members):
            return self.refused("81013", 200, "user & party & tag all invalid")
        if body not in self.seen:
            self.seen.add(body)
            self.requests.append(given)
            key, text = self.shown(given)
            for member in members:
                if member not in (*unknown, *unlicensed):
                    self.taken.append({"key": key, "number": member, "text": text})
        self._serial += 1
        answer = {
            "errcode": 0,
            "errmsg": "ok",
            "invaliduser": "|".join(unknown),
            "unlicenseduser": "|".join(unlicensed),
            "msgid": f"msg{self._serial}",
        }
        return await self.answered(request, web.json_response(answer))

    def shown(self, given: dict[str, Any]) -> tuple[str, str]:
        if given["msgtype"] == "text":
            content = given["text"]["content"]
            assert len(content.encode()) <= 2048
            return "", content
        card = given["template_card"]
        assert card["card_type"] == "button_interaction"
        assert len(card["main_title"]["title"]) <= 36
        assert len(card["sub_title_text"]) <= 160
        (button,) = card["button_list"]
        assert len(button["text"]) <= 10
        return card["task_id"], f"{card['main_title']['title']} [{button['text']}]"

    async def post(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        key = request.query.get("key", "")
        if key not in {ROBOT_KEY.format(number) for number in range(GROUPS)}:
            return self.refused("93000", 200)
        self.group_messages[key] += 1
        if self.group_messages[key] > MOST_IN_A_MINUTE:
            return self.refused("45009", 200)
        content = given[given["msgtype"]]["content"]
        assert len(content.encode()) <= {"text": 2048, "markdown": 4096}[given["msgtype"]]
        self.taken.append({"key": "", "number": key, "text": content})
        return await self.answered(request, web.json_response({"errcode": 0, "errmsg": "ok"}))

    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        raise NotImplementedError("there are no receipts")

    def head(self, address: str) -> dict[str, Any]:
        member = address.removeprefix("wecom:")
        return {"ToUserName": CORPID, "FromUserName": member, "CreateTime": now(), "AgentID": AGENT}

    def press(self, member: str, task: str, key: str) -> None:
        event = {"Event": "template_card_event", "EventKey": key, "TaskId": task, "CardType": "button_interaction"}
        self.tell(member, {"MsgType": "event", **event})

    def called(self, notice: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        return sealed(xml(**notice), CORPID)

    def acknowledged(self, answer: str) -> bool:
        return answer == "" or answer.startswith("<xml>")

    async def direct(self, request: web.Request) -> web.Response:
        order = await request.json()
        match order["order"]:
            case "expire":
                self.token = ""
            case "forget":
                self.seen.clear()
                self.group_messages.clear()
            case "press":
                self.press(order["member"], order["task"], order["key"])
            case "platform":
                return web.json_response(
                    {"tokens": self.tokens_given, "requests": self.requests, "answers": self.answers}
                )
        return await super().direct(request)


def make() -> Cloud:
    return Wecom()
