"""阿里云语音服务 as its documents describe it: SingleCallByTts, IvrCall and QueryCallDetailByCallId of 2017-05-25; it
reports by VoiceReport, and keys by VoiceCallReport too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.harness.aliyun_cloud import AliyunCloud, _beijing
from tests.harness.cloud import BAD_NUMBER, MOST_AT_ONCE, Cloud

TEMPLATE, AFTER_KEY = "TTS_154950909", "TTS_154950910"
CONTENT = "您好，这里是${sender}，${title}。${issued}发布。请立即${action}收到请按1，需要支援请按9。"
CALLER = "057188886666"
LONGEST_OUT_ID = 15
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class AliyunVoice(AliyunCloud):
    def __init__(self) -> None:
        super().__init__()
        self.templates = {TEMPLATE: (CONTENT, True), AFTER_KEY: ("谢谢，再见。", True)}

    async def operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        given = {**request.query, **dict(parse_qsl(body.decode()))}
        match request.headers["x-acs-action"]:
            case "SingleCallByTts":
                return await self.treated(request) or await self.ring(
                    request, given, given.get("TtsCode", ""), given.get("TtsParam", "{}"), ""
                )
            case "IvrCall":
                keys = "".join(given.get(f"MenuKeyMap.{n}.Key", "") for n in range(1, 10))
                if given.get("CalledShowNumber") != CALLER or not keys:
                    return self.refused("isv.DISPLAY_NUMBER_ILLEGAL", 200)
                return await self.treated(request) or await self.ring(
                    request, given, given.get("StartCode", ""), given.get("StartTtsParams", "{}"), keys
                )
            case "QueryCallDetailByCallId":
                return self.refused("isv.INVALID_PARAMETERS", 200)
        return self.refused("InvalidAction.NotFound", 404)

    async def ring(
        self, request: web.Request, given: Mapping[str, str], template: str, values: str, keys: str
    ) -> web.StreamResponse:
        number, spoken = given.get("CalledNumber", ""), json.loads(values)
        code = next(self.what_is_wrong(number, given, template, spoken), None)
        if code is not None:
            return self.refused(code, 200, f"refused for {number}")
        text = _VARIABLE.sub(lambda match: str(spoken[match[1]]), self.templates[template][0])
        call = self.take(given.get("OutId", ""), number, f"{text}（{given.get('PlayTimes')}遍，按键 {keys}）")
        return await self.answered(
            request, web.json_response({"Code": "OK", "Message": "OK", "RequestId": "8906", "CallId": call})
        )

    def what_is_wrong(
        self, number: str, given: Mapping[str, str], template: str, values: Mapping[str, str]
    ) -> Iterator[str]:
        if not re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}", number) or number == BAD_NUMBER:
            yield "isv.MOBILE_NUMBER_ILLEGAL"
        if len(given.get("OutId", "")) > LONGEST_OUT_ID:
            yield "isv.INVALID_PARAMETERS"
        content, approved = self.templates.get(template, ("", False))
        if not approved:
            yield "isv.TTS_TEMPLATE_ILLEGAL"
        if not set(_VARIABLE.findall(content)) <= set(values):
            yield "isv.TEMPLATE_MISSING_PARAMETERS"

    def report(self, serial: str, taken: Mapping[str, str], code: str) -> dict[str, Any]:
        now, keys = _beijing(), self.mood.get("dtmf", "")
        return {
            "call_id": serial,
            "start_time": now,
            "end_time": now,
            "caller": CALLER,
            "callee": taken["number"],
            "duration": self.mood.get("duration", "21"),
            "status_code": code or "200000",
            "hangup_direction": "机器",
            "status_msg": "执行完成",
            "out_id": taken["key"],
            "dtmf": keys,
            "voice_type": "voice",
        }

    def bodies(self, waiting: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], Any]]:
        names = list(waiting)[:MOST_AT_ONCE]
        reports = [waiting[name]["report"] for name in names]
        on_the_way = [
            {
                "call_id": one["call_id"],
                "status_code": "300000",
                "smart_status_code": "ANSWERED",
                "dtmf": one["dtmf"],
                "status_time": one["end_time"],
                "out_id": one["out_id"],
            }
            for one in reports
            if one["dtmf"]
        ]
        return [(names, [*on_the_way, *reports])] if names else []


def make() -> Cloud:
    return AliyunVoice()
