"""What one provider does differently from another: how it is asked, and what its answers mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, runtime_checkable

from broadcaster.ports import Envelope, Outcome
from channels.http.exchange import Answer, Request

RETRY_AFTER = 1.0
"""Seconds until what was not written, or was throttled, may be tried again."""

UNFIT_AFTER = 30.0
"""The same where the account may not send as it is: somebody has to see to it."""

Now: TypeAlias = Callable[[], datetime]

Call: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""Make one request outside of any message; raises `UnavailableError` when there is no answer."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing was sent: the credential is no longer good. It is renewed, and the request made once more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing was sent, and no other message would fare better now (throttled, in arrears, not let in): wait `after`
    seconds."""

    reason: str
    after: float


Reading: TypeAlias = Sequence[Outcome] | Stale | Halt


def utc_now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


class Provider(Protocol):
    """One account with one provider, as one connection uses it. Nothing here sends: the driver does."""

    async def sign_in(self, call: Call) -> None:
        """Prove that the account works, by a call that reaches nobody; get a credential where one is needed. Raises
        `UnavailableError`, with what to do, and may raise `NonsenseError`."""
        ...

    async def renew(self, call: Call) -> None:
        """Replace the credential. Raises `UnavailableError` when there is none to be had."""
        ...

    def check(self, envelope: Envelope) -> None:
        """`InputError` when this message cannot go out here at all (address, length): it is rejected with the error's
        `what`. `LimitedError` when its address has had its share for now: it is deferred. Asked for a whole batch
        before anything is written: what costs time is better done here than later."""
        ...

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        """The envelopes, all of them checked, in the groups that go out in one request each; see `singly`."""
        ...

    def request(self, group: Sequence[Envelope]) -> Request:
        """The request for a group, with the credential of this moment."""
        ...

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        """What the answer means for each envelope of the group. Raises `NonsenseError` for what the documents do not
        promise: the driver then goes by the status (see `driver.py`)."""
        ...


@runtime_checkable
class Expires(Protocol):
    """A provider whose credential has an end that is known: it is renewed before that, not when it is refused."""

    def due(self) -> bool:
        """Whether it is time to renew."""
        ...


def singly(envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
    """Each envelope in a request of its own."""
    return ((envelope,) for envelope in envelopes)
