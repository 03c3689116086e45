"""The oracle: what really happened, read from the logbook, to hold the system's own accounts against."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from broadcaster.rehearsal import logbook
from broadcaster.rehearsal.logbook import (
    Acknowledged,
    Called,
    Evidenced,
    Heard,
    Joined,
    Lost,
    Measured,
    Published,
    SignedIn,
    Sounded,
    Started,
    Stored,
    Text,
    Turned,
    Visited,
    read_logbook,
)
from channels.line.wire import ReceiptRow, ReplyRow

Key: TypeAlias = tuple[int, int, int]
"""alert, ordinal, attempt."""


class Taken(NamedTuple):
    """A message that a gateway took. Alert, ordinal and attempt are 0 where its protocol has no room for our key, until
    `Report.name`."""

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
    joined: dict[str, int] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)
    sounded: list[Sounded] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    visits: list[Visited] = field(default_factory=list)

    @property
    def unnamed(self) -> int:
        """Messages of which the protocol did not tell whose they are."""
        return sum(one.alert == 0 for one in self.taken)

    def name(self, known: Mapping[str, Key]) -> None:
        """Tell the messages of protocols that have no room for our key by what the client knows: `known` has alert,
        ordinal and attempt by the ids that gateways gave. What the client has no id of, because the answer did not
        reach it, is the delivery that has the same text for the same address; its attempt stays 0."""
        by_text: dict[tuple[str, str, int], tuple[int, int]] = {}
        for place, one in enumerate(self.taken):
            if one.alert == 0 and (key := self._key(one.ref, known)) is not None:
                self.taken[place] = one = one._replace(alert=key[0], ordinal=key[1], attempt=key[2])  # noqa: PLW2901
            if one.alert:
                by_text.setdefault((one.channel, one.address, one.text_hash), (one.alert, one.ordinal))
        for place, one in enumerate(self.taken):
            if one.alert == 0 and (named := by_text.get((one.channel, one.address, one.text_hash))) is not None:
                self.taken[place] = one._replace(alert=named[0], ordinal=named[1])

    def _key(self, ref: str, known: Mapping[str, Key]) -> Key | None:
        """By the message's id, or that of any of its parts."""
        if ref in known or ref not in self.joined:
            return known.get(ref)
        last = int(ref, 16)
        refs = (f"{number:016x}" for number in range(last - self.joined[ref] + 1, last))
        return next((known[one] for one in refs if one in known), None)

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
    nameless: list[ReceiptRow] = []
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
                _evidence(report, [row for row in record.rows if row[1]])
                nameless += [row for row in record.rows if not row[1]]
            case logbook.Said():
                report.replies += record.rows
            case Lost():
                report.losses.append(record)
                number = f"{prefix}/{record.connection}"
                open_connections.pop(number, None)
                report.cuts.append(Cut(record.at, record.account, number, record.in_flight))
            case Measured() | Stored() | Published() | Visited():
                _keep_weather(report, record)
            case Text() | Heard() | Joined() | Called() | Sounded():
                _keep(report, record)
    refs = {one.ref for one in report.taken} if nameless else set()
    _evidence(report, [row for row in nameless if row[0] in refs])  # the others are about nothing that was ever taken
    return report


def _keep(report: Report, record: Text | Heard | Joined | Called | Sounded) -> None:
    match record:
        case Text():
            report.texts[record.hash] = record.text
        case Heard():
            report.audio[record.sha256] = record
        case Joined():
            report.joined.update(record.rows)
        case Called():
            report.calls.append(record)
        case Sounded():
            report.sounded.append(record)


def _keep_weather(report: Report, record: Measured | Stored | Published | Visited) -> None:
    match record:
        case Measured():
            report.measured.append(record)
        case Stored():
            report.stored.append(record)
        case Published():
            report.published.append(record)
        case Visited():
            report.visits.append(record)


def _taken(record: logbook.Taken, channel: str, connection: str) -> list[Taken]:
    at, account = record.at, record.account
    return [
        Taken(at, account, channel, address, alert, ordinal, attempt, urgency, expires, text_hash, ref, connection)
        for alert, ordinal, attempt, address, urgency, expires, text_hash, ref in record.rows
    ]


def _evidence(report: Report, rows: Iterable[ReceiptRow]) -> None:
    for ref, _, _, _, good, reason in rows:
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
