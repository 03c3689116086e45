"""Receipts and replies that a gateway brings by calling its client: each by a call of its own or several together, and
again until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.outbox import Post, ReceiptPost, ReplyPost

AGAIN_AFTER = 1.0
"""Seconds until what was not taken is brought again."""

Bring: TypeAlias = Callable[[Account, Post], Awaitable[bool]]
"""Brings a piece of a post; whether the client has stored it, or wants none."""

Cut: TypeAlias = Callable[[Post], list[Post]]
"""Cuts a post into the pieces that are brought by a call each."""


class Rounds:
    """The rounds of all accounts whose client is called."""

    def __init__(self, bring: Bring, cut: Cut | None = None) -> None:
        self._bring = bring
        self._cut = cut or singly
        self._rounds: dict[str, Round] = {}

    def serve(self, account: Account) -> None:
        """From now on bring what this account owes."""
        if account.name not in self._rounds:
            self._rounds[account.name] = Round(account, self._bring, self._cut)
            account.carry(self._rounds[account.name])

    def stop(self) -> None:
        for each in self._rounds.values():
            each.stop()


class Round:
    """One account's."""

    most_unacknowledged = 1000

    def __init__(self, account: Account, bring: Bring, cut: Cut) -> None:
        self.unacknowledged = 0
        self._account = account
        self._bring = bring
        self._cut = cut
        self._walks: dict[int, dict[asyncio.Task[None], Post]] = {}

    def takes_post(self) -> bool:
        return True

    def write(self, post: Post) -> None:
        walks = {asyncio.create_task(self._walk(post.number, one)): one for one in self._cut(post)}
        self._walks[post.number] = walks
        for walk in walks:
            walk.add_done_callback(partial(self._back, post.number))

    def forget(self, post: Post) -> None:
        walks = self._walks.pop(post.number, {})
        for walk in walks:
            walk.cancel()
        left = walks.values()
        if isinstance(post, ReceiptPost):
            post.rows = [row for one in left if isinstance(one, ReceiptPost) for row in one.rows]
        else:
            post.rows = [row for one in left if isinstance(one, ReplyPost) for row in one.rows]

    def stop(self) -> None:
        for walks in self._walks.values():
            for walk in walks:
                walk.cancel()

    def _back(self, number: int, walk: asyncio.Task[None]) -> None:
        walks = self._walks.get(number, {})
        walks.pop(walk, None)
        if not walks:
            self._walks.pop(number, None)

    async def _walk(self, number: int, one: Post) -> None:
        while not await self._bring(self._account, one):  # noqa: ASYNC110 (whoever should take it tells nobody)
            await asyncio.sleep(AGAIN_AFTER)
        self._account.acknowledge_part(number, one)


def singly(post: Post) -> list[Post]:
    """Each row by itself."""
    if isinstance(post, ReceiptPost):
        return [ReceiptPost(post.at, [row]) for row in post.rows]
    return [ReplyPost([row]) for row in post.rows]
