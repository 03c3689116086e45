"""What comes back by mail to one gateway in this process: from the listener and the mailbox into the Inbox.

Every process that holds a connection of the gateway takes mails in, as long as it holds one: of several workers the
system chooses one for each call at the port, and whoever looks into the mailbox first stores what is there. A mail that
two of them read is one receipt, and one reply, all the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from functools import partial

from broadcaster.errors import InputError
from broadcaster.ports import Inbox, Journal
from channels.email.lmtp import Doorman
from channels.email.mailbox import Mailbox, MailboxError
from channels.email.post import Kind, Post, read
from channels.email.settings import SmtpSettings

AGAIN = 15.0  # s until a port that could not be had is tried again
FAREWELL = 10.0  # s for what the mailbox is asked when we leave
MOST_AT_ONCE = 200  # mails of one look into the mailbox


class Intake:
    """Shared by the drivers of one gateway; works while at least one of them is open."""

    def __init__(self, settings: SmtpSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._users = 0
        self._inbox: Inbox | None = None
        self._journal: Journal | None = None
        self._working: list[asyncio.Task[None]] = []
        self._refused: Counter[str] = Counter()
        self.counts: Counter[Kind] = Counter()

    @property
    def sources(self) -> frozenset[str]:
        """From where it takes mails."""
        return self._settings.sources

    def join(self, inbox: Inbox, journal: Journal) -> None:
        """A driver has opened."""
        self._inbox, self._journal = inbox, journal
        self._users += 1
        if self._users == 1:
            works = [self._listen()] if self._settings.listen is not None else []
            works += [self._poll()] if self._settings.options.imap_host else []
            self._working = [asyncio.create_task(work, name="mail-intake") for work in works]

    async def leave(self) -> None:
        """A driver has closed; the last one ends it, when what is being stored is stored."""
        self._users -= 1
        if self._users == 0:
            working, self._working = self._working, []
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    async def take(self, raw: bytes, recipients: Sequence[str]) -> Post | None:
        """Read a mail and store what it says; None when that cannot be stored now."""
        try:
            post = read(raw, recipients, self._now(), self._settings.seals)
        except InputError:
            post = Post(Kind.STRANGE)
        except Exception as problem:  # no mail may stop those behind it, whatever we overlooked
            self._note("!", f"来信无法读取（{type(problem).__name__}），已搁置")
            post = Post(Kind.STRANGE)
        if not await self._stored(post):
            return None
        self.counts[post.kind] += 1
        self._tell(post.kind)
        return post

    async def _stored(self, post: Post) -> bool:
        inbox = self._inbox
        if inbox is None:
            return False
        try:
            if post.receipts:
                await inbox.receipts(post.receipts)
            if post.replies:
                await inbox.replies(post.replies)
        except Exception as problem:  # whatever failed, the answer is the same: it is to come again
            self._note("!", f"来信未能存下，稍后再收：{type(problem).__name__}")
            return False
        return True

    def _tell(self, kind: Kind) -> None:
        """What counts is noted each time; of the rest 1, 2, 4, 8, …: nobody may fill the page with it."""
        count = self.counts[kind]
        if kind.counts:
            self._note("←", kind.value)
        elif count & (count - 1) == 0:
            self._note("!", f"{kind.value}（共 {count} 封）")

    def _note(self, direction: str, text: str) -> None:
        if self._journal is not None:
            self._journal.note(direction, text)

    async def _listen(self) -> None:
        """Listen; that nobody can hand over bounces is no reason to send nothing."""
        place = self._settings.listen
        if place is None:
            return
        door = Doorman(self._handed_over)
        while True:
            try:
                await door.open(place)
                break
            except OSError as problem:
                self._note("!", f"不能监听 {place}：{problem.strerror or problem}；{AGAIN:g} 秒后再试")
                await asyncio.sleep(AGAIN)
        self._note("←", f"在 {place} 接收退信和回信")
        try:
            await asyncio.Event().wait()
        finally:
            await door.close()

    async def _handed_over(self, raw: bytes, recipients: Sequence[str]) -> bool:
        return await self.take(raw, recipients) is not None

    async def _poll(self) -> None:
        """Look into the mailbox again and again."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        mailbox = Mailbox(self._settings)
        said = ""
        try:
            while True:
                try:
                    while await self._look(mailbox, thread):
                        pass
                    said = ""
                except MailboxError as problem:
                    if str(problem) != said:  # once, not every half a minute
                        said = str(problem)
                        self._note("!", f"退信邮箱 {self._settings.options.imap_host}：{said}")
                await asyncio.sleep(self._settings.options.imap_every)
        finally:
            closing = asyncio.get_running_loop().run_in_executor(thread, mailbox.close)  # after what it is at now
            await asyncio.wait([closing], timeout=FAREWELL)
            thread.shutdown(wait=False)

    async def _look(self, mailbox: Mailbox, thread: Executor) -> bool:
        """Take in what is there; whether there may be more. What could not be stored stays there."""
        blocking = partial(asyncio.get_running_loop().run_in_executor, thread)
        waiting = await blocking(mailbox.waiting, MOST_AT_ONCE)
        stored: list[str] = []
        aside: list[str] = []
        complete = True
        for uid in waiting:
            raw = await blocking(mailbox.fetch, uid)
            post = await self.take(raw, ()) if raw else None
            if post is None and raw:
                complete = False  # the database is away: the others would fare no better
                break
            if post is not None:
                (stored if post.kind.counts else aside).append(uid)
        if stored:
            await blocking(mailbox.remove, stored)
        if aside:
            await blocking(mailbox.set_aside, aside)
        return complete and len(waiting) == MOST_AT_ONCE and bool(stored or aside)
