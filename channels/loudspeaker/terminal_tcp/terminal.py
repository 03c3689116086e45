"""One connection that a terminal has opened: frames in and out; who it is, it says with every frame. Where frames are
signed, they take their turn at the notary's before they go out, and before they are heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from channels.listening.frames import FrameStream
from channels.loudspeaker.terminal_tcp.dialect import WireError
from channels.loudspeaker.terminal_tcp.notary import Notary
from channels.loudspeaker.terminal_tcp.wire import Frame, Kind, Layout

MOST_FRAMES = 200
"""Frames of one terminal in a second; beyond, it is not read until that is over."""

MOST_UNPROVEN = 8
"""Frames of one terminal that wait for the notary; beyond, it is not read."""

MOST_UNSIGNED = 8
"""Frames for one terminal that wait to be signed; beyond, nothing that it reports is acknowledged, and it reports it
again."""

ORDERS = frozenset((Kind.PLAY, Kind.STOP))

Unsigned = Callable[[str], None]
"""Told why a frame was not signed, and so did not go out."""


class Host(Protocol):
    """Who receives terminals."""

    def arrived(self, line: Line) -> bool:
        """Somebody has connected; whether to hear what he says."""
        ...

    def said(self, line: Line, frame: Frame) -> None:
        """A frame has come; `WireError` when it makes no sense."""
        ...

    def left(self, line: Line, reason: str) -> None:
        """The connection is over."""
        ...

    def disconnected(self, line: Line) -> None:
        """Its socket is closed."""
        ...


class Line(FrameStream):
    """`code` is "" until it is known; `spoke` the loop's time of the last whole frame; `sessions` what it was asked and
    has not answered."""

    def __init__(self, layout: Layout, quiet: float, host: Host, notary: Notary | None = None) -> None:
        super().__init__(quiet)
        self.head = layout.head
        self.address = ""
        self.code = ""
        self.spoke = self._loop.time()
        self.sessions: set[int] = set()
        self._layout = layout
        self._host = host
        self._frames = 0
        self._reasons: set[str] = set()
        self._notary = notary
        if notary is not None:
            self._to_sign, self._to_prove = notary.lanes()

    def send(self, frame: Frame, unsigned: Unsigned | None = None) -> None:
        """Write a frame, signed where frames are; on a connection that is over, nothing. `unsigned` is told when there
        was no signature."""
        notary = self._notary
        if notary is None or not (notary.sealing.all_of_it or (frame.kind in ORDERS and not frame.answer)):
            self.write(self._layout.write(frame))
        elif frame.answer and len(self._to_sign) >= MOST_UNSIGNED:
            if unsigned is not None:
                unsigned("an acknowledgement has waited too long for its signature")
        elif not self.ended.done():
            content = self._layout.content(frame, signed=True)
            notary.seal(self._to_sign, content, partial(self._sealed, content, unsigned))

    def size(self, data: bytes, at: int) -> int:
        return self._layout.size(data, at)

    def take(self, frame: bytes) -> None:
        self.spoke = self._loop.time()
        self._frames += 1
        if self._frames == 1:
            self._loop.call_later(1.0, self._rested)
        elif self._frames > MOST_FRAMES:
            self._hold_for("too many", True)
        heard, notary = self._layout.read(frame), self._notary
        if notary is None:
            self._host.said(self, heard)
        elif notary.sealing.needs_proof(heard.signature):
            content = self._layout.signed(frame)
            notary.prove(self._to_prove, content, heard.signature, partial(self._proven, heard))
        elif self._to_prove:
            notary.pass_by(self._to_prove, partial(self._proven, heard))
        else:
            self._host.said(self, heard)
        if notary is not None and len(self._to_prove) > MOST_UNPROVEN:
            self._hold_for("unproven", True)

    def over(self, reason: str) -> None:
        self._host.left(self, reason)

    def drop(self) -> None:
        """Break it off, whatever is not written yet."""
        if self._transport is not None:
            self._transport.abort()
        self.end("dropped")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if peer := transport.get_extra_info("peername"):
            self.address = str(peer[0])
        if not self._host.arrived(self):
            self.drop()

    def connection_lost(self, problem: Exception | None) -> None:
        self.end(f"connection lost: {problem or 'closed by the terminal'}")
        self._host.disconnected(self)

    def pause_writing(self) -> None:
        """It does not read what we answer: neither do we read what it says."""
        self._hold_for("does not read", True)

    def resume_writing(self) -> None:
        self._hold_for("does not read", False)

    def _rested(self) -> None:
        self._hold_for("too many", False)
        self._frames = 0

    def _hold_for(self, reason: str, held: bool) -> None:
        """It is read again when no reason is left."""
        (self._reasons.add if held else self._reasons.discard)(reason)
        self.hold(bool(self._reasons))

    def _sealed(self, content: bytes, unsigned: Unsigned | None, seal: bytes | bool | BaseException) -> None:
        if isinstance(seal, bytes):
            self.write(self._layout.sealed(content, seal))
        elif unsigned is not None:
            unsigned(str(seal))

    def _proven(self, heard: Frame, good: bytes | bool | BaseException) -> None:
        """It has been verified: it is heard, or the connection is over."""
        if self.ended.done():
            return
        if len(self._to_prove) <= MOST_UNPROVEN // 2:
            self._hold_for("unproven", False)
        try:
            if good is not True:
                raise WireError("a signature that is wrong")
            self._host.said(self, heard)
        except WireError as problem:
            self.end(f"not the protocol: {problem}")
