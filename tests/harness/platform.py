"""What WeChat's platforms have in common in the tests: errcodes, notices about one thing each, sealed calls."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from tests.harness.cloud import Cloud


class Platform(Cloud):
    """`first_word` is where the ids begin of what people write; `answers` what calls were answered."""

    busy: ClassVar[str]
    first_word: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.token = ""
        self.tokens_given = 0
        self.answers: list[str] = []

    @abstractmethod
    def head(self, address: str) -> dict[str, Any]:
        """The beginning of every notice about somebody."""

    @abstractmethod
    def called(self, notice: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """The query and the body of a call."""

    @abstractmethod
    def acknowledged(self, answer: str) -> bool:
        """Whether the answer to a call says that it was taken."""

    def say(self, number: str, text: str) -> str:
        self._serial += 1
        serial = str(self.first_word + self._serial)
        self.waiting[serial] = {"notice": self.reply(number, text, serial)}
        self.call()
        return serial

    def tell(self, address: str, texts: Mapping[str, Any]) -> None:
        """Something happens with somebody."""
        self._serial += 1
        self.waiting[f"event-{self._serial}"] = {"notice": {**self.head(address), **texts}}
        self.call()

    def reply(self, number: str, text: str, serial: str) -> dict[str, Any]:
        return {**self.head(number), "MsgType": "text", "Content": text, "MsgId": int(serial)}

    def bodies(self, waiting: Mapping[str, dict[str, Any]]) -> list[tuple[list[str], Any]]:
        return [([name], one["notice"]) for name, one in waiting.items()]

    async def _called(self, session: aiohttp.ClientSession, names: list[str], body: Any) -> bool:
        query, content = self.called(body)
        try:
            async with session.post(self.call_back, params=query, data=content) as answer:
                said = await answer.text()
                if answer.status != 200 or not self.acknowledged(said):
                    return False
        except (aiohttp.ClientError, TimeoutError):
            return False
        self.answers.append(said)
        for name in names:
            self.waiting.pop(name, None)
        return True

    def throttled(self) -> web.Response:
        return self.refused(self.busy, 200)

    def refused(self, code: str, status: int, message: str = "refused") -> web.Response:
        return web.json_response({"errcode": int(code), "errmsg": message}, status=status)


def now() -> int:
    return int(time.time())
