"""What the engines share that are called over the network: their shape, connections, time limits, and what a failure
is."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar, Protocol

import aiohttp

from channels.speech.synthesizer import NEWSREADER, EngineError, Fault, Speech, voice_among

LARGEST = 32 << 20  # octets of one answer; 300 characters are about 3 MB
CHARACTERS_PER_SECOND = 25.0  # that any service synthesizes; the slowest are about twice as fast
GAP = 0.15  # s of silence between pieces of a text
SAMPLE_RATE = 16_000  # that all of them are asked for


class Connection:
    """Connections to one service. `timeout` s for a short text; a long one gets more, by its length. Made when first
    used, in the event loop that uses it."""

    def __init__(self, word: str, trust: ssl.SSLContext, timeout: float) -> None:
        self._word = word
        self._trust = trust
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust, keepalive_timeout=10.0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "daohu"},
                trust_env=False,
            )
        return self._session

    @asynccontextmanager
    async def attempt(self, text: str) -> AsyncIterator[aiohttp.ClientSession]:
        """The session, for as long as `text` may take; whatever goes wrong meanwhile is an `EngineError`."""
        limit = self._timeout + len(text) / CHARACTERS_PER_SECOND
        try:
            async with asyncio.timeout(limit):
                yield self.session
        except TimeoutError as error:
            raise EngineError(
                Fault.SLOW, f"{self._word} {limit:.0f} 秒内没有完成。", remedy="请检查网络；备用引擎已接替。"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineError(
                Fault.DOWN,
                f"{self._word} 没有应答：{type(error).__name__}。",  # its words may hold the address with a signature
                remedy="请检查 endpoint、ca_file，以及本机的网络、域名解析和防火墙。",
            ) from error

    async def close(self) -> None:
        """Disconnect."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class Manner(Protocol):
    """How an engine is told to speak; its `repr` tells one manner from another."""

    @property
    def doublings(self) -> float:
        """How much faster than ordinarily: 1 twice as fast, -1 half."""
        ...


class CloudSynthesizer(ABC):
    """Speaks by `voices`, the provider's names by language; `word` is what it is called in what it says of itself."""

    name: str
    word: ClassVar[str]

    def __init__(
        self,
        voices: Mapping[str, str],
        manner: Manner,
        *,
        trust: ssl.SSLContext,
        timeout: float,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._voices = voices
        self._how = manner
        self._connection = Connection(self.word, trust, timeout)
        self._now = now or (lambda: datetime.now(UTC))

    @abstractmethod
    async def pieces(self, session: aiohttp.ClientSession, text: str, voice: str) -> Sequence[bytes]:
        """`text` said by `voice`, in as many requests as it takes: signed 16-bit samples, `SAMPLE_RATE` to a second."""

    def voice(self, language: str) -> str | None:
        found = voice_among(self._voices, language)
        return found and f"{self.name}/{found}/{self._how!r}"

    async def speak(self, text: str, language: str) -> Speech:
        """Say `text`; `EngineError` says why not."""
        voice = voice_among(self._voices, language) or ""
        async with self._connection.attempt(text) as session:
            pieces = await self.pieces(session, text, voice)
        return Speech(joined(pieces), SAMPLE_RATE)

    def estimate(self, text: str) -> float:
        """Seconds, at the provider's ordinary speed and as it is told to speak."""
        return float(NEWSREADER.seconds(text) / 2**self._how.doublings)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()


async def whole(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer; `EngineError` when it has no end."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > LARGEST:
            raise EngineError(Fault.NONSENSE, f"答复超过 {LARGEST >> 20} MB。")
    return bytes(body)


def joined(pieces: Sequence[bytes]) -> bytes:
    """Samples one after the other, with a short silence between; `EngineError` when they are no 16-bit samples."""
    if not all(pieces) or any(len(piece) % 2 for piece in pieces):
        raise EngineError(Fault.NONSENSE, "答复里没有完整的语音。")
    return bytes(2 * round(GAP * SAMPLE_RATE)).join(pieces)
