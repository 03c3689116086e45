"""阿里云智能语音交互 (Alibaba Cloud's Intelligent Speech Interaction): synthesis over its RESTful interface.

POST /stream/v1/tts takes a JSON body of at most 300 characters of text, with a token in `X-NLS-Token`, and answers
with audio (Content-Type audio/…) or with JSON {"task_id", "status", "message"}. A token lives for about a day or more
and is made by the operation CreateToken (2019-02-28) of an access key. Source: the provider's documents 94737 and
450514.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from channels.cloud.aliyun import Signer
from channels.speech.cloud import SAMPLE_RATE, CloudSynthesizer, whole
from channels.speech.sentences import cut
from channels.speech.synthesizer import EngineError, Fault

MOST = 300  # characters of one request
AT_ONCE = 2  # requests of one text; free accounts have two
SPARE = 600  # s before its end from which a token is not used any more
WORD = "阿里云语音合成"
Shape = TypeVar("Shape", bound=msgspec.Struct)
UNTOKENED = 40000001
CREATED_IN = "cn-shanghai"  # the only one; its tokens are good in all
CREATED_BY = "2019-02-28"  # the version of CreateToken

FAULTS = {
    UNTOKENED: (Fault.REFUSED, "token 不对或已过期"),
    40000003: (Fault.REFUSED, "参数不对，请检查 voices"),
    40000005: (Fault.BUSY, "同时的请求太多"),
    40000009: (Fault.TEXT, "文字被拒绝"),
    40000010: (Fault.QUOTA, "试用期已过，请开通商用"),
    40020105: (Fault.REFUSED, "app_key 不存在"),
    40020106: (Fault.REFUSED, "app_key 与 token 不是同一个账号的"),
    40020503: (Fault.REFUSED, "子账号没有权限"),
    41020001: (Fault.REFUSED, "参数不对，请检查 voices"),
}
"""What the provider's status codes mean; others by their first digit: 4 refused, 5 down."""


class Refusal(msgspec.Struct, frozen=True):
    """The answer that is no audio."""

    status: int = 0


class Token(msgspec.Struct, frozen=True, rename="pascal"):
    """A token and its end, in seconds since 1970."""

    id: str
    expire_time: int


class Created(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to CreateToken."""

    token: Token | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: the project's key, and a token, or an access key by which tokens are made; `endpoint` speaks,
    `token_endpoint` makes tokens."""

    app_key: str
    token: str
    access_key_id: str
    access_key_secret: str
    endpoint: URL
    token_endpoint: URL


@dataclass(frozen=True, slots=True)
class Manner:
    """`speech_rate` and `pitch_rate` -500 to 500, 500 is twice as fast or high; `volume` 0 to 100."""

    speech_rate: int = 0
    pitch_rate: int = 0
    volume: int = 50

    @property
    def doublings(self) -> float:
        return self.speech_rate / 500


class AliyunSynthesizer(CloudSynthesizer):
    """Speaks in the name of `account`."""

    name = "aliyun_nls"
    word = WORD

    def __init__(
        self,
        account: Account,
        voices: Mapping[str, str],
        manner: Manner,
        *,
        trust: ssl.SSLContext,
        timeout: float,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(voices, manner, trust=trust, timeout=timeout, now=now)
        self._account = account
        self._manner = manner
        self._token = Token(account.token, 0)
        self._turn = asyncio.Lock()

    async def pieces(self, session: aiohttp.ClientSession, text: str, voice: str) -> Sequence[bytes]:
        some = asyncio.Semaphore(AT_ONCE)

        async def said(piece: str) -> bytes:
            async with some:
                return await self._said(session, piece, voice)

        tasks = [asyncio.ensure_future(said(piece)) for piece in cut(text, MOST)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _said(self, session: aiohttp.ClientSession, piece: str, voice: str) -> bytes:
        token = await self._valid_token(session)
        try:
            return await self._asked(session, piece, voice, token)
        except _StaleError:
            if not await self._renewed(session, token):
                raise
        return await self._asked(session, piece, voice, self._token)

    async def _asked(self, session: aiohttp.ClientSession, piece: str, voice: str, token: Token) -> bytes:
        request = {
            "appkey": self._account.app_key,
            "text": piece,
            "format": "pcm",
            "sample_rate": SAMPLE_RATE,
            "voice": voice,
            "volume": self._manner.volume,
            "speech_rate": self._manner.speech_rate,
            "pitch_rate": self._manner.pitch_rate,
        }
        async with session.post(
            self._account.endpoint / "stream/v1/tts",
            data=msgspec.json.encode(request),
            headers={"Content-Type": "application/json", "X-NLS-Token": token.id},
            allow_redirects=False,
        ) as response:
            body = await whole(response)
            if response.status == 200 and response.content_type.startswith("audio/"):
                return body
            raise failure(response.status, body)

    async def _valid_token(self, session: aiohttp.ClientSession) -> Token:
        token = self._token
        if self._account.access_key_id and token.expire_time - SPARE < self._now().timestamp():
            await self._renewed(session, token)
        return self._token

    async def _renewed(self, session: aiohttp.ClientSession, stale: Token) -> bool:
        """Have a new token made, once however many requests found `stale` to be so; False without an access key."""
        if not self._account.access_key_id:
            return False
        async with self._turn:
            if self._token is stale:
                self._token = await self._created(session)
        return True

    async def _created(self, session: aiohttp.ClientSession) -> Token:
        account = self._account
        where = account.token_endpoint
        signer = Signer(account.access_key_id, account.access_key_secret, where, where.authority)
        nonce = secrets.token_hex(16)
        request = signer.request("CreateToken", f"RegionId={CREATED_IN}", self._now(), nonce, CREATED_BY)
        async with session.request(
            request.method, request.url, headers=request.headers, allow_redirects=False
        ) as response:
            created = _read(await whole(response), Created)
        if created is None or created.token is None:
            raise EngineError(
                Fault.REFUSED,
                f"{WORD}：没有得到 token（HTTP {response.status}）。",
                remedy="请核对 access_key_id、access_key_secret、账号的权限和本机时钟。",
            )
        return created.token


class _StaleError(EngineError):
    """The token is not, or no longer, good."""


def failure(http: int, body: bytes) -> EngineError:
    """What an answer that is no audio means. Its own words name the token, so they are not repeated."""
    refusal = _read(body, Refusal)
    if refusal is None or refusal.status == 0:
        fault = Fault.DOWN if http >= 500 else Fault.NONSENSE
        return EngineError(fault, f"{WORD}：答复不是约定的（HTTP {http}）。", remedy="请检查 endpoint。")
    by_digit = (Fault.DOWN, "服务端错误") if refusal.status // 10_000_000 == 5 else (Fault.REFUSED, "请求被拒绝")
    fault, words = FAULTS.get(refusal.status, by_digit)
    kind = _StaleError if refusal.status == UNTOKENED else EngineError
    return kind(
        fault, f"{WORD}：{words}（{refusal.status}）。", remedy="请核对 app_key、token 或 access_key、voices 和账号。"
    )


def _read(body: bytes, shape: type[Shape]) -> Shape | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
