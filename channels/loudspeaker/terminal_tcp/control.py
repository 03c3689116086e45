"""The platform's side of broadcasts: orders to terminals, what has to make way for them, results into receipts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from broadcaster.clock import BEIJING
from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Envelope,
    Evidence,
    Inbox,
    Journal,
    Outcome,
    Receipt,
    Rejected,
    Sent,
    Unknown,
)
from channels.http.provider import Now
from channels.loudspeaker.terminal_tcp.exchange import SILENT_AFTER, Exchange, NotSent, Terminal
from channels.loudspeaker.terminal_tcp.intake import Intake
from channels.loudspeaker.terminal_tcp.notary import Notary
from channels.loudspeaker.terminal_tcp.orders import UNCHANGED, Play, class_of, event_of, level_of, stop
from channels.loudspeaker.terminal_tcp.programme import DAILY, FOREIGN_EMERGENCY, GAP, Programme, Task
from channels.loudspeaker.terminal_tcp.reports import EMERGENCY, RESULT_OK, Answer, Fault, Played, Report, Switched
from channels.loudspeaker.terminal_tcp.sealing import Sealing
from channels.loudspeaker.terminal_tcp.settings import TerminalOptions
from channels.loudspeaker.terminal_tcp.terminal import Line
from channels.loudspeaker.terminal_tcp.wire import Kind, Layout
from channels.redaction import redacted

OFFLINE = "终端离线"
LOST = "播发中终端离线，是否播完不明"
INTERRUPTED = "被更高级别的广播打断"
REPLACED = "被后续预警取代"
NO_RESULT = "没有收到播发结果"
UNSIGNED_REMEDY = "请检查密码机及其签名接口程序；恢复后会再次停播。"
TOO_LATE = "排在前面的广播播完时，预警已经失效"

BUSY_AFTER = 5.0
"""Seconds after which a terminal that is busy is asked again."""

ALERTS, TRIALS = 9000, 1000
"""Of a day's ten thousand message numbers, those of alerts, and behind them those of trials of the gateway."""

SHORT, SLACK = 0.9, 2.0
"""What was sounded of a broadcast counts as all of it from this share on; seconds, as terminals tell whole ones."""

DEAF = 2
"""Orders in a row that a terminal ignores before it is given up, though it is connected: had it played all the same,
its report would say so."""

MOST_UNSTOPPED = 32
"""Messages that one terminal that is gone is to stop when it comes back."""

FOREVER = float("inf")

Settle = Callable[[Outcome], None]


class Control:
    """Everything between the exchange and the driver."""

    def __init__(
        self, options: TerminalOptions, layout: Layout, inbox: Inbox, journal: Journal, now: Now,
        sealing: Sealing | None = None,
    ) -> None:  # fmt: skip
        self._now = now
        self._options = options
        self._dialect = layout.dialect
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(inbox, journal)
        self._busy: dict[str, Terminal] = {}
        self.exchange = Exchange(
            options, layout, journal, Notary(sealing, now) if sealing is not None else None, now,
            reported=self._report, back=self._back, looked=self._look_after,
        )  # fmt: skip

    def receive(self) -> Line:
        """A terminal dials in."""
        return self.exchange.receive()

    def play(self, envelope: Envelope, audio: Audio, url: str, settle: Settle) -> None:
        """Have the terminal at the envelope's address play the sound at `url`; `settle` is told the outcome, once."""
        self.exchange.find(envelope.address, partial(self._found, envelope, audio, url, settle))

    async def recall(self, sent: Sequence[Sent]) -> None:
        """Stop these; who is not there, or gives no answer, is told when it comes back. `UnavailableError` when nobody
        signs."""
        open_ = [self._loop.create_future() for _ in sent]
        for one, done in zip(sent, open_, strict=True):
            self._recall(one, partial(_done, done))
        refused = [why for why in await asyncio.gather(*open_) if why]
        if refused:
            raise UnavailableError(f"{len(refused)} 条停播没有签名，没有发出：{refused[0]}", remedy=UNSIGNED_REMEDY)

    async def finish(self, within: float) -> None:
        """Let terminals answer what they were asked, and store what they reported, for up to `within` seconds each."""
        deadline = self._loop.time() + within
        while self.exchange.unanswered and self._loop.time() < deadline:  # noqa: ASYNC110 (a second at the most)
            await asyncio.sleep(0.02)
        await self._intake.finish(within)
        await self.exchange.close()

    def _found(self, envelope: Envelope, audio: Audio, url: str, settle: Settle, terminal: Terminal | None) -> None:
        if terminal is None:
            if self.exchange.closed:
                settle(Deferred(envelope.key, "not connected", BUSY_AFTER))
            else:
                settle(Rejected(envelope.key, OFFLINE))
            return
        now, message = self._loop.time(), message_id(envelope, self._options.platform, self._now())
        lasts, programme = audio.seconds + self._options.margin, terminal.programme
        stops = self._options.preemption == "platform"
        notice = envelope.message.notice
        replaced = notice.references if notice is not None else ()
        room = programme.room(message, envelope.urgency, now, lasts, stops=stops, replaced=replaced)
        known = programme.find(message)
        begins = known.begins if known is not None else room.begins
        if self._wall(begins) >= envelope.expires:
            settle(Rejected(envelope.key, TOO_LATE))
            return
        for task in room.stopped:
            self._interrupt(terminal, task, REPLACED if task.alert in replaced else INTERRUPTED)
        order = self._order(message, envelope, self._wall(begins), lasts, url)
        task = Task(
            message, envelope.urgency, begins, begins + lasts, order=order, key=envelope.key, seconds=audio.seconds,
            alert=notice.identifier if notice is not None else "",
        )  # fmt: skip
        programme.put(task)
        terminal.unstopped.pop(message, None)
        self._busy[terminal.code] = terminal
        self.exchange.ask(
            terminal, Kind.PLAY, order.body(self._dialect), partial(self._told, terminal, task, envelope.key, settle)
        )
        self._move(terminal, room.moved, task.ends + GAP)

    def _order(self, message: str, envelope: Envelope, begins: datetime, lasts: float, url: str) -> Play:
        notice, options = envelope.message.notice, self._options
        colour = "drill" if notice is None or notice.drill else notice.colour
        volume = next((percent for name, percent in options.volumes.items() if name == colour), UNCHANGED)
        return Play(
            message=message,
            class_=class_of(notice),
            level=level_of(notice, envelope.urgency),
            event=event_of(notice),
            volume=volume,
            begins=begins,
            ends=begins + timedelta(seconds=lasts),
            url=url,
            text=envelope.message.text if options.text else "",
        )

    def _told(
        self, terminal: Terminal, task: Task, key: DeliveryKey, settle: Settle, said: Answer | NotSent | None
    ) -> None:
        """A terminal has answered an order, or not: then it may play it all the same."""
        if isinstance(said, NotSent):
            terminal.programme.over(task.message)
            settle(Deferred(key, f"命令没有签名，没有发出：{said.why}", BUSY_AFTER))
        elif said is None and terminal.ignored >= DEAF:
            settle(Rejected(key, f"终端连续 {terminal.ignored} 次没有应答"))
        elif said is None:
            settle(Unknown(key, "终端没有应答"))
        elif said.result == RESULT_OK:
            settle(Accepted(key, reference(task.message, terminal.code)))
        else:
            terminal.programme.over(task.message)
            why = f"终端拒绝（{said.result}）：{redacted(said.words) or '没有说明'}"
            busy = said.result in self._options.busy
            settle(Deferred(key, why, BUSY_AFTER, address_only=True) if busy else Rejected(key, why))

    def _interrupt(self, terminal: Terminal, task: Task, why: str) -> None:
        """Stop what has to make way; of ours it is said at once that it was not heard to the end."""
        terminal.programme.over(task.message)
        self._stop(terminal, task.message)
        if task.order is not None:
            self._fail(terminal, task, why)

    def _move(self, terminal: Terminal, tasks: Sequence[Task], begins: float) -> None:
        """Have what waits begin later, one behind the other."""
        for task in tasks:
            if task.order is None:
                continue
            task.ends += begins - task.begins
            task.begins = begins
            task.order = task.order.moved(self._wall(begins))
            self._stop(terminal, task.message)
            self.exchange.ask(terminal, Kind.PLAY, task.order.body(self._dialect), _nothing)
            begins = task.ends + GAP

    def _stop(self, terminal: Terminal, message: str) -> None:
        self.exchange.ask(terminal, Kind.STOP, stop(message), _nothing)

    def _recall(self, sent: Sent, done: Callable[[str], None]) -> None:
        code = sent.address
        message = sent.ref.partition("-")[0] or self._message_of(code, sent.key)
        if not message or len(message) != self._dialect.message_digits or not message.isdecimal():
            done("")
            return
        terminal = self.exchange.terminal(code)
        if terminal is None:
            done("")
            return
        terminal.programme.over(message)
        if len(terminal.unstopped) < MOST_UNSTOPPED:
            terminal.unstopped[message] = self._loop.time() + timedelta(days=1).total_seconds()
        if terminal.line is None:
            done("")
        else:
            self._stop_for_good(terminal, message, done)

    def _stop_for_good(self, terminal: Terminal, message: str, done: Callable[[str], None]) -> None:
        def told(said: Answer | NotSent | None) -> None:
            if isinstance(said, Answer):
                terminal.unstopped.pop(message, None)
            done(said.why if isinstance(said, NotSent) else "")

        self.exchange.ask(terminal, Kind.STOP, stop(message), told)

    def _message_of(self, code: str, key: DeliveryKey) -> str:
        """The message of a delivery whose answer did not reach us."""
        terminal = self.exchange.terminals.get(code)
        tasks: Programme | tuple[Task, ...] = terminal.programme if terminal is not None else ()
        return next((task.message for task in tasks if task.key is not None and task.key[:2] == key[:2]), "")

    def _back(self, terminal: Terminal) -> None:
        """A terminal is there again: what was recalled meanwhile is stopped now."""
        now = self._loop.time()
        for message, until in list(terminal.unstopped.items()):
            if until < now:
                del terminal.unstopped[message]
            else:
                self._stop_for_good(terminal, message, _whatever)

    def _report(self, terminal: Terminal, said: Report, acknowledge: Callable[[], None]) -> None:
        match said:
            case Played():
                self._played(terminal, said, acknowledge)
            case Switched():
                self._switched(terminal, said)
                acknowledge()
            case Fault(broken=True):
                for task in terminal.programme:
                    if task.order is not None and task.begins <= self._loop.time():
                        self._fail(terminal, task, f"终端故障：{redacted(said.words) or said.kind}")
                acknowledge()
            case _:
                acknowledge()

    def _switched(self, terminal: Terminal, said: Switched) -> None:
        task, now = terminal.programme.find(said.message), self._loop.time()
        if not said.began:
            if task is not None and task.order is None:
                terminal.programme.over(said.message)
            elif task is not None:
                task.ends = now  # its result follows
        elif task is not None:
            task.started = True
        else:
            rank = FOREIGN_EMERGENCY if said.task == EMERGENCY else DAILY  # or an earlier process of ours began it
            terminal.programme.put(Task(said.message, rank, now, FOREVER, started=True))
            self._busy[terminal.code] = terminal

    def _played(self, terminal: Terminal, said: Played, acknowledge: Callable[[], None]) -> None:
        task = terminal.programme.over(said.message)
        if not said.message.startswith(self._options.platform):
            acknowledge()
            return
        why = "" if said.good else redacted(said.words) or "终端报告播发失败"
        sounded = (said.ended - said.began).total_seconds()
        if said.good and task is not None and 0 <= sounded < SHORT * task.seconds - SLACK:
            why = f"没有播完：应播 {task.seconds:.0f} 秒，实播 {sounded:.0f} 秒"
        now = self._now()
        at = said.ended if now - timedelta(days=1) < said.ended < now else now
        key = task.key if task is not None else None
        evidence = Evidence.FAILED if why else Evidence.DELIVERED
        self._intake.take(Receipt(reference(said.message, terminal.code), key, evidence, why, at), acknowledge)

    def _fail(self, terminal: Terminal, task: Task, why: str) -> None:
        ref = reference(task.message, terminal.code)
        self._intake.take(Receipt(ref, task.key, Evidence.FAILED, why, self._now()))

    def _look_after(self, now: float) -> None:
        """Broadcasts whose terminal is gone, or does not say how they went, have failed; should they have been played
        after all, the terminal's word counts more."""
        silent = SILENT_AFTER * self._options.heartbeat
        for terminal in list(self._busy.values()):
            gone = terminal.line is None and terminal.heard_at + silent < now
            for task in terminal.programme:
                overdue = task.ends + self._options.report_within < now
                if gone or overdue:
                    terminal.programme.over(task.message)
                    if task.order is not None:
                        self._fail(terminal, task, LOST if gone else NO_RESULT)
            if not terminal.programme:
                del self._busy[terminal.code]

    def _wall(self, moment: float) -> datetime:
        """The time of a moment of the loop's."""
        return self._now() + timedelta(seconds=moment - self._loop.time())


def message_id(envelope: Envelope, platform: str, now: datetime) -> str:
    """The message's id (EBMID): the same for every terminal and every attempt, so that a terminal that is told twice
    plays it once. Platform's code, the day in Beijing, four digits of the alert's number."""
    notice, key = envelope.message.notice, envelope.key
    if notice is None:
        sent, number = now, ALERTS + key.ordinal % TRIALS
    else:
        sent, number = notice.sent, key.alert % ALERTS
    return f"{platform}{sent.astimezone(BEIJING):%Y%m%d}{number:04d}"


def reference(message: str, code: str) -> str:
    """What we call a message on one terminal. A report names both, so that it is understood by any process."""
    return f"{message}-{code}"


def _nothing(said: Answer | NotSent | None) -> None:
    """Whatever the answer is."""


def _whatever(why: str) -> None:
    """Whatever came of it."""


def _done(future: asyncio.Future[str], why: str) -> None:
    if not future.done():
        future.set_result(why)
