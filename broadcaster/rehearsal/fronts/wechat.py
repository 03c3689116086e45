"""What WeChat's platforms have in common, 公众平台 and 企业微信: tokens, errcodes, and how they call their client."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar
from zlib import crc32

import msgspec

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts.front import WRONG_PASSWORD
from broadcaster.rehearsal.fronts.http import Asked, HttpFront
from broadcaster.rehearsal.fronts.posting import Poster
from broadcaster.rehearsal.fronts.rounds import AGAIN_AFTER, Rounds
from broadcaster.rehearsal.fronts.sealing import Notice, SealError, Sealing
from broadcaster.rehearsal.names import Names, Serials
from broadcaster.rehearsal.outbox import Post, ReplyPost
from broadcaster.rehearsal.script import PlatformFront as Settings

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

T = TypeVar("T")
P = TypeVar("P", bound="Platform")
Shape = TypeVar("Shape")

AT_ONCE = 64
"""Calls that are under way at the same time, of receipts and of what people say each: nobody who says something waits
for the receipts of others."""

OVERLAP = 300.0
"""Seconds before a token's end from which on the next one is given; both are good then."""

TOKENS_KEPT = 10_000

NO_TOKEN, WRONG_TOKEN, EXPIRED_TOKEN = 41001, 40014, 42001
NONSENSE, NOWHERE = 47001, 40066
"""errcodes: what was posted is not what was agreed; there is no such interface."""

_CODE = re.compile(r"-?\d{1,6}")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: whose, and until when on the loop's clock."""

    text: str
    account: str
    ends: float


class Platform(ABC):
    """One platform, whoever is connected to it."""

    both_signatures: ClassVar[bool] = False
    """Whether a sealed call has the signature of an open one as well."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loop = asyncio.get_running_loop()
        self._tokens: dict[str, Token] = {}
        self._newest: dict[str, Token] = {}
        self._addresses: dict[str, str] = {}
        self._accounts: dict[str, Account] = {}
        self._gone: set[tuple[str, str]] = set()
        self._rounds = Rounds(self._bring)
        self._receipts, self._words = Poster(AT_ONCE), Poster(AT_ONCE)
        self._errands: set[asyncio.Task[None]] = set()

    @abstractmethod
    def notices(self, account: str, post: Post) -> Notice:
        """What is said about a post of one row."""

    @abstractmethod
    def beside(self, notice: Notice) -> Notice:
        """The elements that stand unsealed beside a sealed notice."""

    def grant(self, account: str) -> tuple[str, int]:
        """The account's token and for how many seconds it is good: for everybody the same, until its end is near."""
        now, lasts = self._loop.time(), self.settings.lasts
        token = self._newest.get(account)
        if token is None or token.ends - now < min(OVERLAP, lasts / 4):
            token = self._newest[account] = Token(secrets.token_urlsafe(96), account, now + lasts)
            if len(self._tokens) >= TOKENS_KEPT:
                self._tokens.clear()
            self._tokens[token.text] = token
        return token.text, int(token.ends - now)

    def whose(self, text: str) -> str | int:
        """Whose token that is, or the errcode that says what is wrong with it."""
        token = self._tokens.get(text)
        if token is None:
            return WRONG_TOKEN if text else NO_TOKEN
        return token.account if token.ends > self._loop.time() else EXPIRED_TOKEN

    def calls(self, account: str) -> bool:
        """Whether this account's client is called."""
        return bool(self._address(account))

    def welcome(self, account: Account) -> None:
        """Somebody has signed in."""
        self._accounts[account.name] = account
        if self.calls(account.name):
            self._rounds.serve(account)

    def call_back(self, account: str, address: str) -> None:
        """Call this account's client there from now on; "": nowhere, and what is owed is dropped."""
        self._addresses[account] = address
        if address and account in self._accounts:
            self._rounds.serve(self._accounts[account])

    def knows(self, account: str, address: str) -> bool:
        """Whether somebody can be reached by this account: follows it, is a member."""
        return (account, address) not in self._gone

    def follow(self, account: Account, address: str, *, follows: bool) -> bool:
        """Somebody begins or ceases to; whether that is news."""
        known = self.knows(account.name, address)
        if follows:
            self._gone.discard((account.name, address))
        else:
            self._gone.add((account.name, address))
        return known != follows

    def tell(self, account: Account, notice: Notice) -> None:
        """Tell the client of an event that is no receipt and no reply, until it takes it."""
        if self.calls(account.name):
            errand = asyncio.create_task(self._tell(account, notice))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def stop(self) -> None:
        self._rounds.stop()
        for errand in self._errands:
            errand.cancel()
        await self._receipts.stop()
        await self._words.stop()

    def _address(self, account: str) -> str:
        return self._addresses.get(account, self.settings.call_back)

    async def _tell(self, account: Account, notice: Notice) -> None:
        while not await self._call(account, notice, self._words):  # noqa: ASYNC110 (whoever should take it tells nobody)
            await asyncio.sleep(AGAIN_AFTER)

    async def _bring(self, account: Account, post: Post) -> bool:
        poster = self._words if isinstance(post, ReplyPost) else self._receipts
        return await self._call(account, self.notices(account.name, post), poster)

    async def _call(self, account: Account, notice: Notice, poster: Poster) -> bool:
        """Whether the client has taken it. An answer that the platform cannot read shows that the client speaks
        something else; it has taken the notice all the same."""
        settings = self.settings
        sealing = Sealing(settings.token, settings.aes_key, account.name, self.both_signatures)
        query, body = sealing.call(notice, self.beside(notice), int(time.time()))
        address = self._address(account.name)
        if not address:
            return True
        answer = await poster.post(address, body, {"Content-Type": "text/xml"}, query)
        if answer not in (None, b"", b"success"):
            try:
                self.check_answer(sealing.open(answer or b""), notice)
            except SealError:
                account.protocol_error()
        return answer is not None

    @staticmethod
    def check_answer(answer: dict[str, str], notice: Notice) -> None:
        """SealError for an answer that nobody would be shown."""
        if answer.get("ToUserName") != notice["FromUserName"] or not answer.get("MsgType"):
            raise SealError("the answer is for nobody")


class WechatFront(HttpFront[T], Generic[T, P]):
    """One connection to a platform."""

    def __init__(self, stage: Stage, number: int, platform: P) -> None:
        super().__init__(stage, number)
        self.platform = platform

    def refuse(self, code: int, message: str = "refused") -> None:
        """Answer with an errcode."""
        self.respond({"errcode": code, "errmsg": message})

    def sign_in(self, name: str, shown: str, wrong: int) -> tuple[str, int] | None:
        """A token and its seconds for who shows the account's secret; None when something else was answered (`wrong` to
        who shows another secret), or nothing at all."""
        refusal = self.enter(name, Medium.WECHAT, partial(_same, shown), serials)
        if self.account is None or refusal:
            self.refuse(wrong if refusal == WRONG_PASSWORD else self.platform.settings.busy, refusal)
            return None
        self.platform.welcome(self.account)
        return self.platform.grant(name)

    def who(self, asked: Asked) -> Account | None:
        """The account whose token was shown; None when something else was answered, or nothing at all."""
        name = self.platform.whose(asked.query.get("access_token", ""))
        if isinstance(name, int):
            self.refuse(name)
            return None
        return self.admitted(name)

    def admitted(self, name: str) -> Account | None:
        """The account `name`, which needs no further proof; None as above."""
        if self.account is None or self.account.name != name:
            refusal = self.enter(name, Medium.WECHAT, _anything, serials)
            if refusal:
                self.refuse(self.platform.settings.busy, refusal)
        return self.account

    def posted(self, asked: Asked, shape: type[Shape]) -> Shape | None:
        """What was posted, read; None when it is something else, which was answered."""
        try:
            return msgspec.json.decode(asked.body, type=shape)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self.refuse(NONSENSE, "data format error")
            return None


def serials(prefix: str) -> Names:
    """The ids of an account at a platform."""
    return Serials(crc32(prefix.encode()))


def code_of(reason: str, usual: int) -> int:
    """A reason for refusing somebody as an errcode: the script's own where it is one."""
    return int(reason) if _CODE.fullmatch(reason) else usual


def _same(shown: str, secret: str) -> bool:
    return secrets.compare_digest(shown.encode(), secret.encode())


def _anything(_: str) -> bool:
    return True
