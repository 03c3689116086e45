"""The forecast: from what an alert asks and what the gateways take to when everybody was sent theirs. Arithmetic only.

Times are seconds since the issue, sizes are messages. A channel sends in the order of the ledger: what waits already,
then people on duty, then vulnerable households, then the others. Later steps are reckoned as if nobody were heard of:
whoever was reached before is left out of them, so they will be smaller.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.alerts.policy import ChannelStep
from broadcaster.capacity.audience import Demand, Load
from broadcaster.capacity.duty import Ask, DutyDemand
from broadcaster.capacity.gateways import ChannelCapacity, Limit
from broadcaster.capacity.texts import TextForecast
from broadcaster.ports import Medium

LONGEST_WAITS = 3
"""Waits after which the fan-out goes on to the next step, whatever of the last one has not been sent (fanout.sql)."""


class Verdict(StrEnum):
    """Whether a step's messages are out in time."""

    IN_TIME = "in_time"
    AFTER_WAIT = "after_wait"  # later than the wait before the next step
    OVERLAPPING = "overlapping"  # the next step begins before they are out
    AFTER_EXPIRY = "after_expiry"  # some never: the alert is over before
    NEVER = "never"  # there is no gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is reckoned with beside the gateways; see `measured.py`. `source` says where the figures come from."""

    planned_per_s: float
    submitted_per_s: float
    first_submit: float
    answer: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelForecast:
    """One step on one channel. `messages` go out at the most: `at_once` for certain, the rest if nobody is heard of;
    `vulnerable` of them to vulnerable households. `parts` of text messages that all of them make, where it is one.
    `vulnerable_by`, `finishes`: None where they never do."""

    channel: Medium
    messages: int
    at_once: int
    vulnerable: int
    parts: int | None
    per_second: float
    limit: Limit
    vulnerable_by: float | None
    finishes: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForecast:
    """A step of the policy for `households` at the most. It `begins` for those who are not reached before; the next
    one follows after `wait` seconds, None: there is none."""

    number: int
    households: int
    begins: float
    wait: float | None
    channels: tuple[ChannelForecast, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForecast:
    """A step of the ladder: what is sent to people on duty whose units are silent."""

    number: int
    action: str
    units: int
    begins: float
    wait: float | None
    channels: tuple[ChannelForecast, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceForecast:
    """Whom it is for. `unreachable` households have no address on any channel of the policy."""

    households: int
    vulnerable: int
    unreachable: int
    terminals: int
    units: int
    holderless: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All of it. `expires_in`: seconds between issue and expiry, None where none is known. `waiting`: messages of other
    alerts ahead of this one, by channel."""

    rehearsal: bool
    expires_in: float | None
    audience: AudienceForecast
    text: TextForecast | None
    capacities: tuple[ChannelCapacity, ...]
    waiting: Mapping[Medium, int]
    steps: tuple[StepForecast, ...]
    loudspeakers: ChannelForecast | None
    asks: tuple[AskForecast, ...]
    machine: Machine

    @property
    def channels_used(self) -> frozenset[Medium]:
        """The channels on which there is anything to send."""
        rows = [one for step in self.steps for one in step.channels]
        rows += [one for ask in self.asks for one in ask.channels]
        rows += [self.loudspeakers] if self.loudspeakers else []
        return frozenset(one.channel for one in rows if one.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be forecast. `parts` of the text message by name of place; a step whose wait is infinite has none
    after it."""

    rehearsal: bool
    expires_in: float | None
    steps: Sequence[ChannelStep]
    demand: Demand
    duty: DutyDemand
    terminals: int
    text: TextForecast | None
    parts: Mapping[str, int]
    waiting: Mapping[Medium, int]
    capacities: Mapping[Medium, ChannelCapacity]
    machine: Machine


def forecast(question: Question) -> Forecast:
    """The answer."""
    line = _Line(question)
    steps = _steps(question, line)
    demand, duty = question.demand, question.duty
    return Forecast(
        rehearsal=question.rehearsal,
        expires_in=question.expires_in,
        audience=AudienceForecast(
            households=demand.households,
            vulnerable=demand.vulnerable,
            unreachable=demand.unreachable,
            terminals=question.terminals,
            units=duty.units,
            holderless=duty.holderless,
        ),
        text=question.text,
        capacities=tuple(question.capacities.values()),
        waiting=dict(question.waiting),
        steps=steps,
        loudspeakers=_loudspeakers(question, line),
        asks=tuple(_ask(ask, line) for ask in question.duty.asks),
        machine=question.machine,
    )


class _Line:
    """When each channel is free, and how long it takes for so many messages."""

    def __init__(self, question: Question) -> None:
        self._capacities = question.capacities
        self._machine = question.machine
        self._expires_in = question.expires_in
        self.first_submit = question.machine.first_submit
        self._free: defaultdict[Medium, float] = defaultdict(lambda: self.first_submit)
        at_once = sum(load.at_once for load in question.demand.loads.values())
        self.planned = self.first_submit + at_once / question.machine.planned_per_s
        """When the last village is planned: its households, the vulnerable as well, are sent nothing before."""
        for channel, count in question.waiting.items():
            self.send(channel, count, 0.0)

    def capacity(self, channel: Medium) -> ChannelCapacity:
        return self._capacities[channel]

    def takes(self, channel: Medium, count: int) -> float | None:
        """Seconds for `count` messages; None without a gateway."""
        rate = self._capacities[channel].per_second if channel in self._capacities else 0.0
        return count / rate if rate else None

    def send(self, channel: Medium, count: int, begins: float) -> float | None:
        """Send `count` more from `begins` on; when the last is out."""
        took = self.takes(channel, count)
        if took is None:
            return None
        if count:
            self._free[channel] = max(self._free[channel], begins + self.first_submit) + took
        return self._free[channel]

    def verdict(self, count: int, finishes: float | None, begins: float, wait: float | None) -> Verdict:
        if count == 0:
            return Verdict.IN_TIME
        if finishes is None:
            return Verdict.NEVER
        if self._expires_in is not None and finishes > self._expires_in:
            return Verdict.AFTER_EXPIRY
        if wait is None or finishes - begins <= wait:
            return Verdict.IN_TIME
        return Verdict.OVERLAPPING if finishes - begins > LONGEST_WAITS * wait else Verdict.AFTER_WAIT


def _steps(question: Question, line: _Line) -> tuple[StepForecast, ...]:
    """First what goes out at once on each channel, then each later step when its time has come."""
    loads = question.demand.loads
    first_asked: Counter[Medium] = Counter()
    for ask in question.duty.asks:
        if ask.begins == 0:
            first_asked.update(ask.messages)
    vulnerable_by, at_once_by = {}, {}
    for channel in dict.fromkeys(channel for _, channel in loads):
        vulnerable = sum(load.at_once_vulnerable for (_, medium), load in loads.items() if medium is channel)
        everyone = sum(load.at_once for (_, medium), load in loads.items() if medium is channel)
        line.send(channel, first_asked[channel], 0.0)
        vulnerable_by[channel] = _not_before(line.planned, line.send(channel, vulnerable, 0.0))
        at_once_by[channel] = _not_before(line.planned, line.send(channel, everyone - vulnerable, 0.0))
    found: list[StepForecast] = []
    begins = 0.0
    for place, step in enumerate(question.steps):
        channels = tuple(
            _channel(
                channel,
                loads[place, channel],
                question,
                line,
                begins,
                step.wait,
                (vulnerable_by[channel], at_once_by[channel]),
            )
            for channel in step.channels
        )
        households = question.demand.step_households[place]
        wait = step.wait if math.isfinite(step.wait) else None
        found.append(StepForecast(number=place + 1, households=households, begins=begins, wait=wait, channels=channels))
        begins += until_next(channels, begins, step.wait)
    return tuple(found)


def _channel(
    channel: Medium,
    load: Load,
    question: Question,
    line: _Line,
    begins: float,
    wait: float,
    at_once_by: tuple[float | None, float | None],
) -> ChannelForecast:
    vulnerable_by, finishes = at_once_by
    messages, vulnerable = load.at_once + load.if_silent, load.at_once_vulnerable + load.if_silent_vulnerable
    if load.if_silent:
        vulnerable_by = line.send(channel, load.if_silent_vulnerable, begins)
        finishes = line.send(channel, load.if_silent - load.if_silent_vulnerable, begins)
    parts = sum(count * question.parts.get(place, 1) for place, count in load.places.items())
    capacity = line.capacity(channel)
    return ChannelForecast(
        channel=channel,
        messages=messages,
        at_once=load.at_once,
        vulnerable=vulnerable,
        parts=parts if channel is Medium.SMS and question.parts else None,
        per_second=capacity.per_second,
        limit=capacity.limit,
        vulnerable_by=vulnerable_by if vulnerable else None,
        finishes=finishes,
        verdict=line.verdict(messages, finishes, begins, wait),
    )


def until_next(channels: Sequence[ChannelForecast], begins: float, wait: float) -> float:
    """Seconds until the next step begins: its wait, longer while messages are unsent, three waits at the most."""
    unsent = [one for one in channels if one.messages]
    if any(one.finishes is None for one in unsent):
        return LONGEST_WAITS * wait
    lasts = max((one.finishes - begins for one in unsent if one.finishes is not None), default=0.0)
    return max(wait, min(lasts, LONGEST_WAITS * wait))


def _loudspeakers(question: Question, line: _Line) -> ChannelForecast | None:
    if not question.terminals:
        return None
    return _whole(Medium.LOUDSPEAKER, question.terminals, line, 0.0, None)


def _ask(ask: Ask, line: _Line) -> AskForecast:
    """People on duty come first on a channel: nothing is waited for but what is on the wire."""
    channels = tuple(
        _whole(channel, count, line, ask.begins, ask.wait, overtaking=True)
        for channel, count in sorted(ask.messages.items())
    )
    return AskForecast(
        number=ask.number, action=ask.action, units=ask.units, begins=ask.begins, wait=ask.wait, channels=channels
    )


def _whole(
    channel: Medium, count: int, line: _Line, begins: float, wait: float | None, *, overtaking: bool = False
) -> ChannelForecast:
    took = line.takes(channel, count)
    if overtaking:
        finishes = None if took is None else begins + line.first_submit + took
    else:
        finishes = line.send(channel, count, begins)
    capacity = line.capacity(channel)
    return ChannelForecast(
        channel=channel,
        messages=count,
        at_once=count,
        vulnerable=0,
        parts=None,
        per_second=capacity.per_second,
        limit=capacity.limit,
        vulnerable_by=None,
        finishes=finishes,
        verdict=line.verdict(count, finishes, begins, wait),
    )


def _not_before(moment: float, finishes: float | None) -> float | None:
    return None if finishes is None else max(moment, finishes)
