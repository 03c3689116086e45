"""Client transactions (RFC 3261 section 17.1): a request sent again until it is answered, and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from channels.voice.sip.message import Request, Response
from channels.voice.sip.timing import T2, T4, Patience, Timer, Timers

LINGER = 32.0
"""Seconds for which a refused INVITE's response that comes again is acknowledged again (timer D)."""


class Wire(Protocol):
    """What carries messages. `reliable`: nothing has to be said twice."""

    reliable: bool

    def send(self, octets: bytes) -> None: ...


Heard = Callable[[Response], None]
"""Takes a response, each once."""

Acknowledge = Callable[[Response], Request]
"""Makes the ACK of a response that refuses."""


class Transaction:
    """`heard` gets the responses, `silent` is called once when there is none in time, `gone` when all is over and
    nothing that comes later is known any more."""

    def __init__(
        self,
        sent: Request,
        wire: Wire,
        timers: Timers,
        patience: Patience,
        heard: Heard,
        silent: Callable[[], None],
        gone: Callable[[], None],
    ) -> None:
        self.request = sent
        self._octets = sent.encode()
        self._wire = wire
        self._timers = timers
        self._patience = patience
        self._heard = heard
        self._silent = silent
        self._gone = gone
        self._pause = patience.again
        self._again: Timer | None = None
        self._end: Timer | None = None
        self.answered = False
        self.final: Response | None = None

    def begin(self) -> None:
        """Send it; raises nothing: a wire that is down is silent."""
        self._wire.send(self._octets)
        self._end = self._timers.call_later(self._patience.answer, self._give_up)
        if not self._wire.reliable:
            self._again = self._timers.call_later(self._pause, self._repeat)

    def take(self, response: Response) -> None:
        """A response to this request has come."""
        raise NotImplementedError

    def stop(self) -> None:
        """Forget it without a word."""
        for timer in (self._again, self._end):
            if timer is not None:
                timer.cancel()
        self._gone()

    def _longest(self) -> float:
        return float("inf")

    def _repeat(self) -> None:
        self._wire.send(self._octets)
        self._pause = min(self._pause * 2, self._longest())
        self._again = self._timers.call_later(self._pause, self._repeat)

    def _quiet(self) -> None:
        """Say it no more."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _give_up(self) -> None:
        self.stop()
        self._silent()

    def _linger(self, seconds: float) -> None:
        self._quiet()
        if self._end is not None:
            self._end.cancel()
        self._end = self._timers.call_later(0.0 if self._wire.reliable else seconds, self.stop)


class InviteTransaction(Transaction):
    """INVITE: a provisional answer ends its repetition (timer A) and its time limit (B); a refusal is acknowledged here
    (and again for timer D), an acceptance by whoever has the dialog."""

    def __init__(
        self,
        sent: Request,
        wire: Wire,
        timers: Timers,
        patience: Patience,
        heard: Heard,
        silent: Callable[[], None],
        gone: Callable[[], None],
        acknowledge: Acknowledge,
    ) -> None:
        super().__init__(sent, wire, timers, patience, heard, silent, gone)
        self._acknowledge = acknowledge

    def take(self, response: Response) -> None:
        if self.final is not None:
            if response.status >= 300:
                self._wire.send(self._acknowledge(self.final).encode())
            return
        self.answered = True
        if response.status < 200:
            self._quiet()
            if self._end is not None:
                self._end.cancel()
            self._heard(response)
            return
        self.final = response
        if response.status < 300:
            self.stop()
        else:
            self._wire.send(self._acknowledge(response).encode())
            self._linger(LINGER)
        self._heard(response)

    def expire(self, seconds: float) -> None:
        """Nothing may come any more (it was cancelled): give up after so many seconds."""
        if self.final is None:
            if self._end is not None:
                self._end.cancel()
            self._end = self._timers.call_later(seconds, self._give_up)


class OtherTransaction(Transaction):
    """Anything but INVITE and ACK: repeated with pauses that grow to T2 (timer E), given up by timer F; what comes
    again is swallowed for T4 (timer K)."""

    def _longest(self) -> float:
        return T2

    def take(self, response: Response) -> None:
        if self.final is not None:
            return
        self.answered = True
        if response.status < 200:
            self._pause = T2
            return
        self.final = response
        self._linger(T4)
        self._heard(response)
