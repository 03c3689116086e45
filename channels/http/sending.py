"""One `send`: as many requests under way as the window allows, one outcome for each envelope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeAlias

from broadcaster.errors import InputError, LimitedError, UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Envelope, Journal, Outcome, Rejected, Unknown
from channels.http.client import Client
from channels.http.credential import Credential
from channels.http.exchange import Answer, NonsenseError, NotWrittenError, UnansweredError
from channels.http.provider import RETRY_AFTER, UNFIT_AFTER, Expires, Halt, Provider, Reading, Stale

Group: TypeAlias = Sequence[Envelope]

NOT_CONNECTED = "网关未连接"
THROTTLED = 429


class Sending:
    """The state of one `send`. Once nothing would fare better, the rest is deferred unwritten: it may go elsewhere, and
    what is not written cannot arrive twice."""

    def __init__(self, client: Client, provider: Provider, credential: Credential, journal: Journal) -> None:
        self._client = client
        self._provider = provider
        self._expires = provider if isinstance(provider, Expires) else None
        self._credential = credential
        self._journal = journal
        self._halt: Halt | None = None
        self._outcomes: list[Outcome] = []
        self._fault: Exception | None = None
        self._working = 0
        self._changed = asyncio.Event()

    async def run(self, batch: Group, window: int) -> AsyncIterator[Sequence[Outcome]]:
        """Outcomes in the bunches in which they come, until each envelope has one."""
        fit = self._checked(batch)
        owed, groups = len(batch), iter(self._provider.groups(fit))
        self._working = min(window, len(fit))
        workers = [asyncio.create_task(self._work(groups)) for _ in range(self._working)]
        try:
            while owed > 0:
                while not self._outcomes:
                    if self._fault is not None or not self._working:
                        raise self._fault or RuntimeError("The provider's groups leave envelopes out.")
                    self._changed.clear()
                    await self._changed.wait()
                outcomes, self._outcomes = self._outcomes, []
                owed -= len(outcomes)
                yield outcomes
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def _checked(self, batch: Group) -> list[Envelope]:
        """Those that can go out now; the others are rejected or deferred."""
        fit: list[Envelope] = []
        for envelope in batch:
            try:
                self._provider.check(envelope)
            except InputError as problem:
                self._outcomes.append(Rejected(envelope.key, problem.what))
            except LimitedError as problem:
                self._outcomes.append(Deferred(envelope.key, problem.what, problem.after))
            else:
                fit.append(envelope)
        return fit

    async def _work(self, groups: Iterator[Group]) -> None:
        """Take group after group, until none is left."""
        try:
            for group in groups:
                async with self._client.turns:
                    outcomes = await self._settled(group)
                self._outcomes += outcomes
                self._changed.set()
        except Exception as problem:  # a provider's own fault: `run` raises it
            self._fault = problem
        self._working -= 1
        self._changed.set()

    async def _settled(self, group: Group) -> Sequence[Outcome]:
        if self._client.closing:
            return _each(group, lambda key: Deferred(key, NOT_CONNECTED, RETRY_AFTER))
        if (halt := self._halt) is not None:
            return _each(group, lambda key: Deferred(key, halt.reason, halt.after))
        await self._refresh()
        held = self._credential.version
        reading = await self._asked(group)
        if isinstance(reading, Stale):
            reading = await self._renewed(group, held)
        if isinstance(reading, Stale):
            reading = Halt(reading.reason, UNFIT_AFTER)
        if isinstance(reading, Halt):
            return self._halted(group, reading)
        return _complete(group, reading)

    async def _renewed(self, group: Group, held: int) -> Reading:
        """Ask once more, with a new credential."""
        try:
            await self._credential.renew(held)
        except UnavailableError as problem:
            return Halt(problem.what, UNFIT_AFTER)
        except NonsenseError as problem:
            return Halt(f"没有得到新的凭证：{problem}", UNFIT_AFTER)
        return await self._asked(group)

    async def _refresh(self) -> None:
        """Renew the credential if its end is near. If that fails the old one does for the while that it has left."""
        if self._expires is None or not self._expires.due():
            return
        try:
            await self._credential.renew(self._credential.version)
        except (UnavailableError, NonsenseError) as problem:
            self._journal.note("!", str(problem))

    async def _asked(self, group: Group) -> Reading:
        request = self._provider.request(group)
        try:
            answer = await self._client.exchange(request)
        except NotWrittenError as problem:
            reading: Reading = Halt(f"连接不上服务商（{problem}）", RETRY_AFTER)
        except UnansweredError as problem:
            reading = self._unanswered(group, problem)
        else:
            reading = self._read(group, answer)
        self._journal.note("←", f"{request.name} {_label(group)} {_said(reading)}")
        return reading

    def _read(self, group: Group, answer: Answer) -> Reading:
        if answer.status == THROTTLED:
            return Halt(f"HTTP {THROTTLED} 服务商限流", answer.retry_after or RETRY_AFTER)
        try:
            return self._provider.read(group, answer)
        except NonsenseError as problem:
            return _by_status(group, answer, str(problem))

    def _unanswered(self, group: Group, problem: UnansweredError) -> Sequence[Outcome]:
        why = str(problem)
        if problem.late:  # the others would wait as long, for nothing
            self._halt = self._halt or Halt(why, RETRY_AFTER)
        return _each(group, lambda key: Unknown(key, why))

    def _halted(self, group: Group, halt: Halt) -> Sequence[Outcome]:
        self._halt = self._halt or halt
        return _each(group, lambda key: Deferred(key, halt.reason, halt.after))


def _complete(group: Group, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """One outcome for each envelope of the group, whatever the provider said."""
    if len(group) == 1 and len(outcomes) == 1 and outcomes[0].key == group[0].key:
        return outcomes
    found = {outcome.key: outcome for outcome in outcomes}
    return _each(group, lambda key: found.get(key) or Unknown(key, "服务商的答复没有提到这一条"))


def _by_status(group: Group, answer: Answer, why: str) -> Reading:
    """What an answer means that is not the provider's own: a proxy's, a balancer's. A refusal (4xx) was not processed;
    of anything else nobody knows."""
    if 400 <= answer.status < 500:
        return Halt(why, answer.retry_after or UNFIT_AFTER)
    return _each(group, lambda key: Unknown(key, why))


def _each(group: Group, outcome: Callable[[DeliveryKey], Outcome]) -> list[Outcome]:
    return [outcome(envelope.key) for envelope in group]


def _label(group: Group) -> str:
    """Which messages, for the conversation log."""
    first = group[0].key
    return str(first) if len(group) == 1 else f"{first} 等 {len(group)} 条"


def _said(reading: Reading) -> str:
    """What became of it, in one line; reasons are free of personal data, that is the provider's duty."""
    match reading:
        case Stale(reason) | Halt(reason):
            return f"{type(reading).__name__} {reason}"
        case [Accepted(_, ref)]:
            return f"Accepted {ref}"
        case [Deferred() | Rejected() | Unknown() as outcome]:
            return f"{type(outcome).__name__} {outcome.reason}"
    kinds = [type(outcome).__name__ for outcome in reading]
    return "，".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds)))
