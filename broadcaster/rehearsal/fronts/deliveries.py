"""Receipts and replies on their way to one client, in the frames of a carrier's protocol, as far as the window goes."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.outbox import Post, ReceiptPost, ReplyPost, Word
from channels.line.wire import ReplyRow
from channels.sms.parts import Part, parts


class Writer(Protocol):
    """The connection that they go out on."""

    @property
    def free(self) -> bool: ...

    def next_sequence(self) -> int: ...

    def report(self, sequence: int, number: int, row: Proof) -> bytes: ...

    def said(self, sequence: int, row: ReplyRow, part: Part) -> bytes: ...

    def send(self, data: bytes) -> None: ...


class _Receipt:
    """One of a post's receipts; it is stored when the client has answered all its frames."""

    __slots__ = ("left", "post", "row")

    def __init__(self, post: ReceiptPost, row: Proof, left: int) -> None:
        self.post = post
        self.row = row
        self.left = left


class _Reply:
    """One of a post's replies, likewise."""

    __slots__ = ("left", "post", "row")

    def __init__(self, post: ReplyPost, row: Word, left: int) -> None:
        self.post = post
        self.row = row
        self.left = left


class Deliveries:
    """At most `window` frames wait for an answer at a time."""

    def __init__(self, writer: Writer, window: int) -> None:
        self._writer = writer
        self._window = window
        self._receipts: deque[tuple[_Receipt, int]] = deque()
        self._replies: deque[tuple[_Reply, Part]] = deque()
        self._sent: dict[int, _Receipt | _Reply] = {}
        self._stored: dict[int, list[_Receipt | _Reply]] = {}

    def add(self, post: Post) -> None:
        """Bring all of `post`: a report for each part of a message, what somebody wrote in as many as it needs."""
        if isinstance(post, ReceiptPost):
            for row in post.rows:
                last, total = int(row[0], 16), row[7]
                receipt = _Receipt(post, row, total)
                for number in range(last - total + 1, last + 1):
                    self._receipts.append((receipt, number))
        else:
            for said in post.rows:
                pieces = parts(said[2], int(said[0], 16))
                reply = _Reply(post, said, len(pieces))
                self._replies += [(reply, piece) for piece in pieces]
        self.push()

    def forget(self, post: Post) -> None:
        """Somebody else will bring what is left of `post`: only that stays in its rows."""
        if isinstance(post, ReceiptPost):
            receipts = [one for one in self._sent.values() if isinstance(one, _Receipt)]
            left = {id(one.row) for one in [*receipts, *(one for one, _ in self._receipts)]}
            post.rows = [row for row in post.rows if id(row) in left]
            self._receipts = deque(one for one in self._receipts if one[0].post is not post)
        else:
            replies = [one for one in self._sent.values() if isinstance(one, _Reply)]
            left = {id(one.row) for one in [*replies, *(one for one, _ in self._replies)]}
            post.rows = [row for row in post.rows if id(row) in left]
            self._replies = deque(one for one in self._replies if one[0].post is not post)
        self._sent = {sequence: one for sequence, one in self._sent.items() if one.post is not post}

    def push(self) -> None:
        """Write what waits, as far as the window goes; what people wrote goes first."""
        window, sent, writer = self._window, self._sent, self._writer
        if not (self._receipts or self._replies) or len(sent) >= window or not writer.free:
            return
        frames = []
        while self._replies and len(sent) < window:
            reply, piece = self._replies.popleft()
            sequence = writer.next_sequence()
            sent[sequence] = reply
            frames.append(writer.said(sequence, reply.row[:4], piece))
        receipts, next_sequence, report = self._receipts, writer.next_sequence, writer.report
        while receipts and len(sent) < window:
            receipt, number = receipts.popleft()
            sequence = next_sequence()
            sent[sequence] = receipt
            frames.append(report(sequence, number, receipt.row))
        writer.send(b"".join(frames))

    def answered(self, sequence: int, taken: bool) -> None:
        """The client has stored a frame; what it did not take stays open until its post is sent again."""
        item = self._sent.get(sequence)
        if item is None or not taken:
            return
        del self._sent[sequence]
        item.left -= 1
        if item.left == 0:
            self._stored.setdefault(item.post.number, []).append(item)

    def stored(self) -> list[tuple[int, Post]]:
        """What the client has stored since this was asked last: numbers of posts, and the part of each."""
        if not self._stored:
            return []
        found, self._stored = self._stored, {}
        return [(number, _part(items)) for number, items in found.items()]


def _part(items: list[_Receipt | _Reply]) -> Post:
    post = items[0].post
    if isinstance(post, ReceiptPost):
        return ReceiptPost(post.at, [one.row for one in items if isinstance(one, _Receipt)])
    return ReplyPost([one.row for one in items if isinstance(one, _Reply)])
