"""公众平台 as its documents describe it: stable_token, templates, template messages, QR codes, sealed callbacks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.harness.cloud import Cloud
from tests.harness.platform import Platform, now
from tests.harness.wechat_notice import ACCOUNT, APPID, plain, sealed, xml

SECRET = "0123456789abcdef0123456789abcdef"
TEMPLATE = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
CONTENT = "{{thing1.DATA}}\n发布：{{thing2.DATA}}\n时间：{{time3.DATA}}\n{{thing5.DATA}}"
LIMITS = {"thing1": 20, "thing2": 20, "time3": 20, "thing5": 20}
STRANGER = "oStranger00000000000000000_1"
NOT_FOLLOWING = "oNotFollowing0000000000000_1"
REFUSED = {STRANGER: 40003, NOT_FOLLOWING: 43004}
LASTS = 7200
_TIME = re.compile(r"(?:\d{4}年\d{1,2}月\d{1,2}日 )?\d{2}:\d{2}")


class OfficialAccount(Platform):
    busy = "45011"
    first_word = 23_000_000_000_000_000

    def __init__(self) -> None:
        super().__init__()
        self.templates = {TEMPLATE: (CONTENT, True)}
        self.asked: list[str] = []
        self.lasts = LASTS
        self.messages: dict[tuple[str, str], str] = {}
        self.codes: dict[str, str] = {}
        self.is_sealed = True

    def verify(self, request: web.Request, body: bytes) -> web.Response | None:
        self.asked.append(request.path)
        if request.path == "/cgi-bin/stable_token":
            return None
        shown = request.query.get("access_token", "")
        if not shown:
            return self.refused("41001", 200)
        return None if shown == self.token else self.refused("40001" if shown.startswith("forged") else "42001", 200)

    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        match request.path:
            case "/cgi-bin/stable_token":
                return self.grant(json.loads(body))
            case "/cgi-bin/template/get_all_private_template":
                found = [
                    {"template_id": one, "title": "预警", "content": text} for one, (text, _) in self.templates.items()
                ]
                return web.json_response({"template_list": found})
            case "/cgi-bin/message/template/send":
                instead = await self.treated(request)
                return instead or await self.send(request, json.loads(body))
            case "/cgi-bin/qrcode/create":
                return self.code(json.loads(body))
        return web.Response(status=404)

    def grant(self, given: dict[str, Any]) -> web.Response:
        """The same token for everybody who asks, as long as it is good."""
        if given.get("grant_type") != "client_credential" or given.get("appid") != APPID:
            return self.refused("40013", 200)
        if given.get("secret") != SECRET:
            return self.refused("40125", 200)
        self.tokens_given += 1
        if not self.token:
            self.token = f"token-{self.tokens_given}-{'x' * 100}"
        return web.json_response({"access_token": self.token, "expires_in": self.lasts})

    async def send(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        openid = given["touser"]
        if openid in REFUSED:
            return self.refused(str(REFUSED[openid]), 200, f"invalid openid {openid} rid: 5f8a")
        if given["template_id"] not in self.templates:
            return self.refused("40037", 200)
        values = {name: one["value"] for name, one in given["data"].items()}
        if any(not value or len(value) > LIMITS.get(name, 200) for name, value in values.items()):
            return self.refused("47003", 200)
        if not _TIME.fullmatch(values.get("time3", "15:01")):
            return self.refused("47003", 200)
        client = given["client_msg_id"]
        if (openid, client) not in self.messages:
            text = " | ".join(f"{name}={value}" for name, value in sorted(values.items()))
            self.messages[openid, client] = self.take(client, openid, f"{text} {given.get('url', '')}".strip())
        answer = {"errcode": 0, "errmsg": "ok", "msgid": int(self.messages[openid, client])}
        return await self.answered(request, web.json_response(answer))

    def code(self, given: dict[str, Any]) -> web.Response:
        if given["action_name"] != "QR_LIMIT_STR_SCENE":
            return self.refused("40053", 200)
        scene = given["action_info"]["scene"]["scene_str"]
        assert 1 <= len(scene) <= 64
        self.codes.setdefault(scene, f"http://weixin.qq.com/q/02{len(self.codes):06}")
        return web.json_response({"ticket": f"gQ{scene}", "url": self.codes[scene]})

    def take(self, key: str, number: str, text: str) -> str:
        self._serial += 1
        serial = str(200_000_000 + self._serial)
        self.taken.append({"key": key, "number": number, "text": text})
        if self.call_back and self.mood["mood"] in ("willing", "slow"):
            self.waiting[serial] = {"notice": self.report(serial, self.taken[-1], self.mood.get("report", ""))}
            self.call()
        return serial

    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        return {
            **self.head(taken["number"]),
            "MsgType": "event",
            "Event": "TEMPLATESENDJOBFINISH",
            "MsgID": int(serial),
            "Status": code or "success",
        }

    def head(self, openid: str) -> dict[str, Any]:
        return {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": now()}

    def called(self, notice: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        return sealed(xml(**notice), APPID) if self.is_sealed else (plain(), xml(**notice).encode())

    def acknowledged(self, answer: str) -> bool:
        return answer == "success" or answer.startswith("<xml>")

    async def direct(self, request: web.Request) -> web.Response:
        order = await request.json()
        match order["order"]:
            case "expire":
                self.token = ""
                self.lasts = order.get("lasts", LASTS)
            case "event":
                self.tell(order["who"], order["texts"])
            case "forget":
                self.messages.clear()
            case "open":
                self.is_sealed = False
            case "platform":
                return web.json_response(
                    {"tokens": self.tokens_given, "asked": self.asked, "codes": self.codes, "answers": self.answers}
                )
        return await super().direct(request)


def make() -> Cloud:
    return OfficialAccount()
