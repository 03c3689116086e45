"""One call's sound: what it says goes out packet by packet, keys come in."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Callable

from channels.voice.sip.media import rtcp, rtp
from channels.voice.sip.media.pacer import Pacer
from channels.voice.sip.media.recording import SAMPLES
from channels.voice.sip.media.sockets import pair
from channels.voice.sip.media.speech import PACKETS_PER_SECOND, Speech
from channels.voice.sip.sdp import EVENTS, Session

MOST_AT_ONCE = 64
"""Packets that are read in one go: whoever floods us gets no more of the process than that."""

LONGEST = 2048
NAME = "daohu"

HELD_MOST = 60.0
"""Seconds that the other end may hold a call, altogether: its line is wanted by others."""


class Media:
    """Opened with the call, because the offer names its port. OSError when no port is free."""

    def __init__(self, host: str, ports: range | None, pacer: Pacer, pressed: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._pacer = pacer
        self._pressed = pressed
        self._presses = rtp.Presses()
        self._source = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._marker = True
        self._packets = 0
        self._held = 0
        self._session: Session | None = None
        self._speech: Speech | None = None
        self._done: Callable[[], None] | None = None
        self.missed: float | None = None
        self._rtp, self._rtcp = pair(host, ports)
        self.port: int = self._rtp.getsockname()[1]
        self._loop.add_reader(self._rtp, self._listen)
        self._loop.add_reader(self._rtcp, self._listen_to_reports)

    def begin(self, session: Session, speech: Speech, done: Callable[[], None]) -> None:
        """Say it there; `done` is called when everything was said, or the call has been held too long."""
        self._session, self._speech, self._done = session, speech, done
        self._pacer.add(self._turn)

    def follow(self, session: Session) -> None:
        """The other end has moved, speaks another law, holds the call or goes on with it."""
        if self._session is not None:
            self._marker = self._marker or self._session.held
            self._session = session

    def close(self) -> None:
        """Say and hear nothing more."""
        self._pacer.remove(self._turn)
        if self._packets:
            self._report(rtcp.goodbye(self._source))
        for line in (self._rtp, self._rtcp):
            if line.fileno() >= 0:
                self._loop.remove_reader(line)
                line.close()

    def _turn(self) -> bool:
        """Send the next packet: nothing while the call is held, which then takes as much longer."""
        session, speech = self._session, self._speech
        if session is None or speech is None:
            return False
        if session.held:
            self._timestamp = (self._timestamp + SAMPLES) & 0xFFFFFFFF
            self._held += 1
            if self._held < HELD_MOST * PACKETS_PER_SECOND:
                return True
        sound = None if session.held else speech.packet(session.law)
        if sound is None:
            if self._done is not None:
                self._loop.call_soon(self._done)
            return False
        octets = rtp.packet(session.payload, self._sequence, self._timestamp, self._source, sound, marker=self._marker)
        self._marker = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + SAMPLES) & 0xFFFFFFFF
        with contextlib.suppress(OSError):  # nobody listens, or no room: the sound of this moment is lost
            self._rtp.sendto(octets, (session.host, session.port))
        self._packets += 1
        if self._packets % round(rtcp.EVERY * PACKETS_PER_SECOND) == 1:
            octets_sent = self._packets * SAMPLES & 0xFFFFFFFF
            self._report(
                rtcp.report(self._source, NAME, time.time(), self._timestamp, self._packets & 0xFFFFFFFF, octets_sent)
            )
        return True

    def _report(self, octets: bytes) -> None:
        if self._session is not None:
            with contextlib.suppress(OSError):
                self._rtcp.sendto(octets, (self._session.host, min(self._session.port + 1, 65535)))

    def _listen(self) -> None:
        """Take keys from where the other end said that it is, under our number for them or its own (RFC 3264 has it use
        ours, and not everybody does); its voice is of no interest."""
        for _ in range(MOST_AT_ONCE):
            octets, host = _received(self._rtp)
            if not octets:
                return
            session = self._session
            if session is None or host != session.host or session.events is None:
                continue
            with contextlib.suppress(rtp.RtpError):
                heard = rtp.read(octets)
                if heard.payload_type in {EVENTS, session.events} and (key := self._presses.take(heard)):
                    self._pressed(key)
            if self._rtp.fileno() < 0:
                return  # that key ended the call

    def _listen_to_reports(self) -> None:
        for _ in range(MOST_AT_ONCE):
            octets, host = _received(self._rtcp)
            if not octets:
                return
            if self._session is not None and host == self._session.host:
                share = rtcp.missed(octets, self._source)
                self.missed = self.missed if share is None else share


def _received(line: socket.socket) -> tuple[bytes, str]:
    try:
        octets, address = line.recvfrom(LONGEST)
    except OSError:  # nothing there, or word that nobody listens over there
        return b"", ""
    return octets, str(address[0])
