"""Loudspeakers that dial in: a population of terminals of GD/J 089, which fetch what they are told to play, play it
and report.

A terminal has one connection, over which it is told and reports; receipts of the account therefore go out over that of
the terminal that they are about.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zlib import crc32

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fates import repeatable
from broadcaster.rehearsal.fronts.act import Act
from broadcaster.rehearsal.fronts.terminal import Playing, TerminalFront
from broadcaster.rehearsal.fronts.terminal_fetch import Fetched, FetchError, fetch
from broadcaster.rehearsal.fronts.terminal_seals import TerminalSeals
from broadcaster.rehearsal.outbox import Post, ReceiptPost
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import EBD_CLIENT_KEY, EBD_CLIENT_PUBLIC, EBD_CLIENT_SERIAL, EBD_KEY, EBD_SERIAL
from broadcaster.rehearsal.script import TerminalsFront as Settings
from channels.line.settings import Address
from channels.loudspeaker.signing.sm2 import PrivateKey, PublicKey

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

AT_ONCE = 200
"""Terminals that dial at the same time."""

NO_SOUND = "音频取不到"
FILES = 16
"""Addresses of which it is remembered who fetched first."""


class Population:
    """All terminals, dialling in again when they are cut off. Is the account's carrier."""

    most_unacknowledged = 1_000_000

    def __init__(self, stage: Stage, settings: Settings) -> None:
        self.unacknowledged = 0
        self.stage = stage
        self.settings = settings
        self.playing: dict[str, Playing] = {}
        self.known: set[str] = set()
        self._over: dict[str, Playing] = {}
        self._first: dict[str, asyncio.Task[Fetched]] = {}
        self._codes = frozenset(settings.codes)
        self._seals = _seals(EBD_KEY) if settings.signed else None
        self._strange = _seals(EBD_CLIENT_KEY) if settings.signed else None
        self._lines: dict[str, TerminalFront] = {}
        self._account: Account | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._posts: dict[int, dict[str, Proof]] = {}
        self._owed: defaultdict[str, list[tuple[int, float, Proof]]] = defaultdict(list)

    async def open(self) -> None:
        """Have everybody dial who is not off line for good."""
        for code in self.settings.codes:
            if not self.fate(code, "offline", self.settings.offline):
                self.keep(asyncio.create_task(self._live(code)))

    def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def fate(self, code: str, what: str, share: float) -> bool:
        """Whether something is this terminal's lot, the same in every run."""
        return bool(share) and repeatable(crc32(f"{self.stage.script.seed}/{what}/{code}".encode())).random() < share

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Something that goes on when a terminal's connection is cut off, until everything ends."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def seals(self, code: str) -> TerminalSeals | None:
        """How a terminal signs: some with a key that is not theirs."""
        return self._strange if self.fate(code, "forged", self.settings.forged) else self._seals

    async def fetch(self, url: str, begun: Callable[[], None]) -> tuple[str, asyncio.Future[Verdict]]:
        """What a terminal gets: its SHA-256, and what the decoder will make of it; `begun` is called when there is
        enough of it to begin with."""
        recordings = self.stage.recordings
        try:
            first = self._first.get(url)
            if first is not None and not first.done():  # it keeps what comes, nobody else has to
                got = await fetch(url, recordings.known, begun, kept=False)
                await asyncio.wait([first])
                if got.content is None and (verdict := recordings.found(got.sha256)) is not None:
                    return got.sha256, verdict
                if got.content is not None:
                    return recordings.fetched(got.content)
            fetching = self._first[url] = asyncio.create_task(fetch(url, recordings.known, begun, kept=True))
            while len(self._first) > FILES:
                del self._first[next(iter(self._first))]
            content = (await fetching).content or b""
        except (FetchError, ValueError):
            nothing: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
            nothing.set_result(Verdict(0.0, NO_SOUND))
            return "", nothing
        return recordings.fetched(content)

    def join(self, line: TerminalFront, account: Account) -> None:
        """A terminal has signed in: what it owes goes out."""
        self._lines[line.code] = line
        if self._account is None:
            self._account = account
            account.carry(self)
        for number, at, row in self._owed.pop(line.code, []):
            self._bring(number, at, row)

    def leave(self, line: TerminalFront) -> None:
        """Its connection is gone, with what it carried."""
        if self._lines.get(line.code) is line:
            del self._lines[line.code]
        for number, at, row in line.open.values():
            self._owed[line.code].append((number, at, row))
        line.open.clear()

    def takes_post(self) -> bool:
        return bool(self._lines)

    def write(self, post: Post) -> None:
        if not isinstance(post, ReceiptPost):  # a terminal says nothing but what it played
            if self._account is not None:
                asyncio.get_running_loop().call_soon(self._account.acknowledge, [post.number])
            return
        self._posts[post.number] = {row[0]: row for row in post.rows}
        for row in post.rows:
            self._bring(post.number, post.at, row)

    def forget(self, post: Post) -> None:
        left = self._posts.pop(post.number, {})
        if isinstance(post, ReceiptPost):
            post.rows = list(left.values())
        for line in self._lines.values():
            line.open = {session: one for session, one in line.open.items() if one[0] != post.number}
        for code in list(self._owed):
            self._owed[code] = [one for one in self._owed[code] if one[0] != post.number]

    def acknowledged(self, number: int, at: float, row: Proof) -> None:
        """The platform has stored a result."""
        left = self._posts.get(number)
        if left is None or left.pop(row[0], None) is None or self._account is None:
            return
        self._over.pop(row[0], None)
        if not left:
            del self._posts[number]
        self._account.acknowledge_part(number, ReceiptPost(at, [row]))

    def _bring(self, number: int, at: float, row: Proof) -> None:
        """Have the terminal report, when it is there and knows how its sound was."""
        ref, code = row[0], row[6]
        if ref not in self._posts.get(number, {}):
            return
        playing = self.playing.get(ref) or self._over.get(ref)
        if playing is not None and not playing.check.done():
            playing.check.add_done_callback(lambda check: None if check.cancelled() else self._bring(number, at, row))
            return
        if playing is not None and row[4] and playing.check.result().problem:
            self.acknowledged(number, at, row)  # it is reported as not played
            return
        line = self._lines.get(code)
        if line is None and code not in self._codes:  # of a message that never was
            line = next(iter(self._lines.values()), None)
        if line is None:
            self._owed[code].append((number, at, row))
            return
        if ref in self.playing:
            self._over[ref] = self.playing.pop(ref)
        line.report(number, at, row, playing)

    async def _live(self, code: str) -> None:
        """Dial, stay until cut off, dial again."""
        dial, loop = Address.parse(self.settings.dial), asyncio.get_running_loop()
        chance = repeatable(crc32(code.encode()))
        while True:
            with contextlib.suppress(OSError):
                async with self._turns:
                    line = TerminalFront(self.stage, self.stage.next_number(), self, code)
                    await loop.create_connection(lambda line=line: line, dial.host, dial.port)  # type: ignore[misc]
                await line.gone.wait()
            await asyncio.sleep(self.settings.redial * (0.5 + chance.random()))


def _seals(key: str) -> TerminalSeals:
    """The signatures of terminals that have this key; the platform's is that of all rehearsals."""
    return TerminalSeals(PrivateKey.read(key), EBD_SERIAL, PublicKey.read(EBD_CLIENT_PUBLIC), EBD_CLIENT_SERIAL)


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage."""
    return Population(stage, settings)
