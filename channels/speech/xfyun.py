"""讯飞开放平台 (iFlytek): streaming synthesis over a websocket.

The address is signed: HMAC-SHA256 over host, date and request line, within 300 s of the provider's clock. One frame of
JSON goes up with the whole text (less than 8,000 octets), frames with samples in base64 come down until `data.status`
is 2; any `code` but 0 ends it. Source: the provider's "语音合成（流式版）WebAPI 文档".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp
import msgspec
from yarl import URL

from channels.speech.cloud import LARGEST, SAMPLE_RATE, CloudSynthesizer
from channels.speech.sentences import cut
from channels.speech.synthesizer import EngineError, Fault

OCTETS_MOST = 7_800  # of the text of one connection; below 8,000
FRAME_LARGEST = 4 << 20
WORD = "讯飞语音合成"
LAST = 2
REMEDY = "请核对 app_id、api_key、api_secret、voices、账号的授权，以及本机时钟。"

FAULTS = {
    10005: (Fault.REFUSED, "app_id 没有授权"),
    10009: (Fault.TEXT, "文字被拒绝"),
    10014: (Fault.SLOW, "服务端超时"),
    10019: (Fault.SLOW, "会话超时"),
    10043: (Fault.DOWN, "服务端编码失败"),
    10101: (Fault.DOWN, "会话已结束"),
    10109: (Fault.TEXT, "文字长度不对"),
    10114: (Fault.SLOW, "服务端超时"),
    10139: (Fault.REFUSED, "参数不对，请检查 voices"),
    10160: (Fault.NONSENSE, "请求被代理改动"),
    10161: (Fault.NONSENSE, "请求被代理改动"),
    10163: (Fault.REFUSED, "参数不对，请检查 voices"),
    10200: (Fault.SLOW, "服务端超时"),
    10222: (Fault.DOWN, "服务端网络错误"),
    10313: (Fault.REFUSED, "app_id 与 api_key 不匹配"),
    10317: (Fault.REFUSED, "版本不对"),
    10700: (Fault.DOWN, "引擎错误"),
    11200: (Fault.REFUSED, "没有开通这个发音人或服务"),
    11201: (Fault.QUOTA, "今天的次数已用完"),
    11202: (Fault.BUSY, "每秒的请求太多"),
    11203: (Fault.BUSY, "同时的连接太多"),
}
"""What the provider's codes mean; others are taken as the service being down."""


class Data(msgspec.Struct, frozen=True):
    """A piece of speech in base64; `status` 1 more follows, 2 the last."""

    audio: str | None = None
    status: int = 0


class Frame(msgspec.Struct, frozen=True):
    """What comes down. `code` 0 when all is well."""

    code: int
    data: Data | None = None


_frame = msgspec.json.Decoder(Frame)


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks, and where."""

    app_id: str
    api_key: str
    api_secret: str
    endpoint: URL


@dataclass(frozen=True, slots=True)
class Manner:
    """`speed`, `volume` and `pitch`, 0 to 100 each, 50 is ordinary; a speed of 100 is twice as fast, 0 half."""

    speed: int = 50
    volume: int = 50
    pitch: int = 50

    @property
    def doublings(self) -> float:
        return (self.speed - 50) / 50


class XfyunSynthesizer(CloudSynthesizer):
    """Speaks in the name of `account`; its voices are what the provider calls `vcn`."""

    name = "xfyun"
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

    async def pieces(self, session: aiohttp.ClientSession, text: str, voice: str) -> Sequence[bytes]:
        """One connection for each 2,600 characters, one after the other."""
        pieces = cut(text, OCTETS_MOST, lambda piece: len(piece.encode()))
        return [await self._said(session, piece, voice) for piece in pieces]

    async def _said(self, session: aiohttp.ClientSession, piece: str, voice: str) -> bytes:
        samples = bytearray()
        try:
            async with session.ws_connect(signed(self._account, self._now()), max_msg_size=FRAME_LARGEST) as socket:
                await socket.send_str(self._request(piece, voice))
                last = False
                while not last:
                    more, last = _received(await socket.receive())
                    samples += more
                    if len(samples) > LARGEST:
                        raise EngineError(Fault.NONSENSE, f"{WORD}：答复没有尽头。")
        except aiohttp.WSServerHandshakeError as error:
            raise _unshaken(error.status) from error
        return bytes(samples)

    def _request(self, piece: str, voice: str) -> str:
        manner = self._manner
        return msgspec.json.encode(
            {
                "common": {"app_id": self._account.app_id},
                "business": {
                    "aue": "raw",
                    "auf": f"audio/L16;rate={SAMPLE_RATE}",
                    "vcn": voice,
                    "speed": manner.speed,
                    "volume": manner.volume,
                    "pitch": manner.pitch,
                    "tte": "UTF8",
                },
                "data": {"status": LAST, "text": base64.b64encode(piece.encode()).decode()},
            }
        ).decode()


def signed(account: Account, now: datetime) -> URL:
    """The address with its signature; good for 300 s."""
    where = account.endpoint
    date = format_datetime(now.astimezone(UTC), usegmt=True)
    host = where.host or ""
    said = f"host: {host}\ndate: {date}\nGET {where.path} HTTP/1.1"
    mac = hmac.new(account.api_secret.encode(), said.encode(), hashlib.sha256).digest()
    authorization = (
        f'api_key="{account.api_key}", algorithm="hmac-sha256", headers="host date request-line", '
        f'signature="{base64.b64encode(mac).decode()}"'
    )
    return where.with_query(
        {"authorization": base64.b64encode(authorization.encode()).decode(), "date": date, "host": host}
    )


def _received(message: aiohttp.WSMessage) -> tuple[bytes, bool]:
    if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        raise EngineError(Fault.DOWN, f"{WORD}：语音没有说完，连接就断了。")
    return read_frame(message.data)


def read_frame(written: bytes | str) -> tuple[bytes, bool]:
    """The samples in a frame that came down, and whether it is the last; `EngineError` for a refusal and for
    nonsense."""
    try:
        frame = _frame.decode(written)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EngineError(Fault.NONSENSE, f"{WORD}：答复不是约定的。", remedy="请检查 endpoint。") from error
    if frame.code != 0:
        fault, words = FAULTS.get(frame.code, (Fault.DOWN, "服务端错误"))
        raise EngineError(fault, f"{WORD}：{words}（{frame.code}）。", remedy=REMEDY)
    data = frame.data or Data()
    try:
        return base64.b64decode(data.audio or "", validate=True), data.status == LAST
    except (binascii.Error, ValueError) as error:
        raise EngineError(Fault.NONSENSE, f"{WORD}：答复里的语音解不出。") from error


def _unshaken(status: int) -> EngineError:
    """The handshake was refused: 401 for what is missing in the signature, 403 for one that does not match or is
    old."""
    if status in (401, 403):
        return EngineError(Fault.REFUSED, f"{WORD}：签名或时钟不对（HTTP {status}）。", remedy=REMEDY)
    fault = Fault.BUSY if status == 429 else Fault.DOWN
    return EngineError(fault, f"{WORD}：没有接上（HTTP {status}）。", remedy="请检查 endpoint。")
