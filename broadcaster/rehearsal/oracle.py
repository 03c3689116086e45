"""The oracle: what really happened, read from the logbook, to hold the system's own accounts against."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from broadcaster.rehearsal import logbook
from broadcaster.rehearsal.logbook import (
    Acknowledged,
    Evidenced,
    Heard,
    Lost,
    SignedIn,
    Started,
    Text,
    Turned,
    read_logbook,
)
from channels.line.wire import ReplyRow


class Taken(NamedTuple):
    """A message that a gateway took."""

    at: float
    account: str
    channel: str
    address: str
    alert: int
    ordinal: int
    attempt: int
    urgency: int
    expires: float
    text_hash: int
    ref: str
    connection: str


class Cut(NamedTuple):
    """A connection that ended without good-bye; `unanswered` messages had been taken and not answered. When the
    rehearsal itself was killed that is not known, and `at` is the last moment at which it still wrote."""

    at: float
    account: str
    connection: str
    unanswered: int


class Overtaking(NamedTuple):
    """An address got `earlier` (an alert) after it had got its successor `later`."""

    address: str
    channel: str
    earlier: int
    later: int


@dataclass(slots=True)
class Report:
    """Everything that one logbook tells. Counts are messages; times are Unix seconds."""

    taken: list[Taken] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[int, int, int, str, str]] = field(default_factory=list)
    replies: list[ReplyRow] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    audio: dict[str, Heard] = field(default_factory=dict)
    losses: list[Lost] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    acknowledged_receipts: set[str] = field(default_factory=set)
    acknowledged_replies: dict[str, float] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Messages that gateways took, each time counted."""
        return len(self.taken)

    @property
    def distinct(self) -> int:
        """Deliveries (alert, ordinal) that gateways took at least once."""
        return len({(one.alert, one.ordinal) for one in self.taken})

    @property
    def duplicates(self) -> int:
        """Messages that were taken again: the same alert and ordinal to the same address on the same channel."""
        return self.accepted - len({(one.alert, one.ordinal, one.channel, one.address) for one in self.taken})

    @property
    def provable_duplicates(self) -> int:
        """Deliveries of which gateways took several attempts and gave evidence about more than one: whoever got all
        evidence knows of them."""
        proved: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        for one in self.taken:
            if one.ref in self.delivered or one.ref in self.failed:
                proved[one.alert, one.ordinal].add(one.attempt)
        return sum(len(attempts) > 1 for attempts in proved.values())

    @property
    def in_flight_lost(self) -> int:
        """Messages that had been received and not answered when their connection was lost."""
        return sum(loss.in_flight for loss in self.losses)

    @property
    def late(self) -> int:
        """Messages that were taken after they had expired."""
        return sum(1 for one in self.taken if one.at > one.expires)

    def in_flight_at_cuts(self, window: float) -> int:
        """Messages whose fate a client may not know: of each connection that was cut, those that were not answered, or
        those of its last `window` seconds (the time an answer needs to be written down) if these are more."""
        moments: defaultdict[str, list[float]] = defaultdict(list)
        for one in self.taken:
            moments[one.connection].append(one.at)
        return sum(
            max(cut.unanswered, sum(cut.at - window <= at <= cut.at for at in moments[cut.connection]))
            for cut in self.cuts
        )

    def by_channel(self) -> Counter[str]:
        """Messages taken, by channel."""
        return Counter(one.channel for one in self.taken)

    def sequences(self) -> dict[str, list[Taken]]:
        """What each address got, in the order in which it was taken."""
        found: defaultdict[str, list[Taken]] = defaultdict(list)
        for one in self.taken:
            found[one.address].append(one)
        return dict(found)

    def overtakings(self, predecessors: Mapping[int, int]) -> list[Overtaking]:
        """Where a message of an alert was taken after one of its successors, for the same address and channel.

        `predecessors` names the alert that each alert follows (Update, Cancel).
        """
        found: list[Overtaking] = []
        seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        lineages = {
            alert: _ancestors(alert, predecessors) for alert in {one.alert for one in self.taken} | set(predecessors)
        }
        for one in self.taken:
            got = seen[one.address, one.channel]
            found += [
                Overtaking(one.address, one.channel, one.alert, later) for later in got if one.alert in lineages[later]
            ]
            got.add(one.alert)
        return found

    def peak_rates(self) -> dict[str, int]:
        """The most messages that each account had taken within any one second."""
        peaks: Counter[str] = Counter()
        windows: defaultdict[str, deque[float]] = defaultdict(deque)
        for one in self.taken:
            window = windows[one.account]
            window.append(one.at)
            while window[0] <= one.at - 1:
                window.popleft()
            peaks[one.account] = max(peaks[one.account], len(window))
        return dict(peaks)


def read_report(path: Path) -> Report:
    """Read a logbook, also while it is being written and after a crash of whoever wrote it."""
    report = Report()
    channels: dict[str, str] = {}
    prefix, last, open_connections = "", 0.0, dict[str, str]()
    for record in read_logbook(path):
        match record:
            case Started():
                report.cuts += [Cut(last, account, number, 0) for number, account in open_connections.items()]
                prefix, open_connections = record.prefix, {}
            case SignedIn():
                channels[record.account] = record.channel
                open_connections[f"{prefix}/{record.connection}"] = record.account
            case logbook.Taken():
                last = record.at
                report.taken += _taken(record, channels[record.account], f"{prefix}/{record.connection}")
            case Acknowledged():
                report.acknowledged_receipts.update(record.receipts)
                report.acknowledged_replies |= dict.fromkeys(record.replies, record.at)
            case Turned():
                report.refused += record.rows
            case Evidenced():
                _evidence(report, record)
            case logbook.Said():
                report.replies += record.rows
            case Lost():
                report.losses.append(record)
                number = f"{prefix}/{record.connection}"
                open_connections.pop(number, None)
                report.cuts.append(Cut(record.at, record.account, number, record.in_flight))
            case Text():
                report.texts[record.hash] = record.text
            case Heard():
                report.audio[record.sha256] = record
    return report


def _taken(record: logbook.Taken, channel: str, connection: str) -> list[Taken]:
    at, account = record.at, record.account
    return [
        Taken(at, account, channel, address, alert, ordinal, attempt, urgency, expires, text_hash, ref, connection)
        for alert, ordinal, attempt, address, urgency, expires, text_hash, ref in record.rows
    ]


def _evidence(report: Report, record: Evidenced) -> None:
    for ref, alert, _, _, good, reason in record.rows:
        if alert == 0:
            continue  # a stray: it is about nothing that was ever taken
        if good:
            report.delivered.add(ref)
        else:
            report.failed[ref] = reason


def _ancestors(alert: int, predecessors: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    while (before := predecessors.get(alert)) is not None and before not in found:
        found.add(before)
        alert = before
    return found
