"""The house: everything a daohu process needs, opened in the right order and wired once. The composition root.

`open_house` starts the embedded servers if the settings say so, brings the schema up to date, and opens the database,
the doorbell, the drivers and the studio. Commands, the web and the worker take what they need from it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Kind, Status
from broadcaster.alerts.records import AlertRecord
from broadcaster.capacity.planner import Planner
from broadcaster.clock import Clock, SystemClock
from broadcaster.database import Database, create_database
from broadcaster.dispatch import trials
from broadcaster.dispatch.composer import LedgerComposer
from broadcaster.dispatch.inbox import GatewayInbox, RecentRefs
from broadcaster.dispatch.questions import Questions
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.recordings import Recordings, Signal
from broadcaster.dispatch.slots import register
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import WORK, Doorbell, JobQueue, run_jobs
from broadcaster.embedded import EmbeddedServers, watch
from broadcaster.errors import SettingsError
from broadcaster.escalation import settlement, tick, units
from broadcaster.issuing import Office, Plans, issue
from broadcaster.journal import GatewayJournal, Telling
from broadcaster.migrating import migrate_database
from broadcaster.ports import Driver, Envelope, GatewaySettings, Inbox, ParsesCallback, Reply, Studio
from broadcaster.presence import Figures, Process, Tell, attend, nothing_more
from broadcaster.registry import Registry
from broadcaster.responses import inbox as responses
from broadcaster.responses.tokens import Tokens
from broadcaster.security.second_factor import SecondFactor
from broadcaster.settings import EMBEDDED, Settings
from broadcaster.tasks import ended
from broadcaster.timekeeping import keep_time, ledger_clock
from broadcaster.worker import Bell, Duties, Pulse, Worker, worker_name
from channels.speech.studio import AudioStudio
from templates.issuer import Issuer
from templates.library import Library

PREPARE = "prepare"
"""The job that makes an alert's recordings before the couriers ask for them."""


@dataclass(frozen=True, slots=True)
class House:
    """What is open. One per process."""

    settings: Settings
    clock: Clock
    database: Database
    doorbell: Doorbell
    registry: Registry
    jobs: JobQueue
    redis_url: str
    texts: Texts
    recordings: Recordings
    studio: Studio
    office: Office
    plans: Plans
    tokens: Tokens
    factor: SecondFactor
    journals: Mapping[str, GatewayJournal]

    async def issue(self, alert_id: int, actor: Actor) -> AlertRecord:
        """Issue an approved alert: its transaction, or a part of the caller's. `announce` it once that is committed."""
        return await issue(self.database, self.clock, self.office, alert_id, actor, units.open_units)

    async def announce(self, alert_id: int) -> None:
        """Have an issued alert's recordings made, and ring the bell; without Redis the workers find it a little
        later."""
        await self.jobs.enqueue(PREPARE, alert_id, key=f"{PREPARE}:{alert_id}")
        await self.doorbell.ring(WORK)

    def driver(self, gateway: GatewaySettings) -> Driver:
        """A driver for one slot of a gateway."""
        return self.registry.plugin(gateway.channel, gateway.driver).build(gateway, self.journals[gateway.name])

    async def trial(self, number: int, address: str, gateway: GatewaySettings) -> Envelope:
        """The message of a trial of a gateway."""
        district = self.settings.district.name
        return await trials.envelope(number, address, gateway, district, self.studio, self.clock.now())

    @property
    def planner(self) -> Planner:
        """Tells before an alert is issued how long it will take."""
        return Planner(self.database, self.clock, self.office, self.texts, self.settings.gateways, self.registry.window)

    async def keep_replies(self, gateway: str, items: Sequence[Reply]) -> None:
        """Store a gateway's replies; durable when this returns. Understanding them is the worker's next look."""
        source = self.settings.gateway(gateway)
        now = self.clock.now()
        await responses.keep(self.database, gateway, source.channel, items, now, rehearsal=source.rehearsal)
        await self.doorbell.ring(WORK)

    def links(self, alert_id: int, expires: datetime) -> Callable[[int], str]:
        """From the ordinals of an alert's deliveries to the addresses of their reply pages; they can be read for a day
        after the alert."""
        page, token = f"{self.settings.web.public_url}/r/", self.tokens.of_alert(alert_id, expires + timedelta(days=1))
        return lambda ordinal: page + token(ordinal)

    async def work(self, name: str = "") -> None:
        """Send, plan, settle and escalate, and run queued jobs, until cancelled; `name` instead of the worker's own."""
        async with self.doorbell.listen(WORK) as ear:
            jobs = asyncio.create_task(
                run_jobs(self.redis_url, {PREPARE: self.recordings.prepare}, at_once=self.settings.worker.jobs)
            )
            worker = self.worker(ear, name)
            try:
                tell = Telling(self.journals)
                await self.attended("worker", worker.run(), worker.figures, name=worker.name, tell=tell)
            finally:
                await ended(jobs)

    async def attended(
        self,
        kind: str,
        work: Coroutine[Any, Any, None],
        figures: Figures = dict,
        *,
        name: str | None = None,
        tell: Tell = nothing_more,
    ) -> None:
        """Do `work` with this process present among the others; `OutdatedError`, when it has wound up, once the
        database demands a newer program."""
        process = Process(
            name=name or worker_name(),
            kind=kind,
            figures=lambda: {**self.database.figures(), **figures()},
            seconds=self.settings.worker.lease / 3,
            tell=tell,
        )
        await attend(self.database, process, work)

    def worker(self, bell: Bell, name: str = "") -> Worker:
        """This process's worker."""
        composer = LedgerComposer(
            self.database,
            self.texts,
            self.recordings,
            self.links,
            units.UnitNames(self.database),
            Questions(self.database, self.clock),
        )
        worker = self.settings.worker
        pulse = Pulse(
            lease=worker.lease,
            sweep=worker.sweep,
            flush_rows=worker.flush_rows,
            flush_seconds=worker.flush_milliseconds / 1000,
        )
        return Worker(
            Duties(
                database=self.database,
                clock=self.clock,
                gateways=self.settings.gateways,
                make_driver=self.driver,
                composer=composer,
                load_plan=self.plans.load,
                keep_replies=self.keep_replies,
                bell=bell,
                make_trial=self.trial,
                chores=(self._settle, self._tick, self._cancel, self._end),
                pulse=pulse,
            ),
            name,
        )

    @asynccontextmanager
    async def callbacks(self) -> AsyncIterator[Mapping[str, tuple[GatewaySettings, ParsesCallback, Inbox]]]:
        """The gateways that call us, with who understands them and where what they say is stored, while it is open."""
        recorder = Recorder(self.database, self.clock, worker_name())
        recording = asyncio.create_task(recorder.run(), name="callbacks")
        try:
            found: dict[str, tuple[GatewaySettings, ParsesCallback, Inbox]] = {}
            for settings in self.settings.gateways:
                plugin = self.registry.plugin(settings.channel, settings.driver)
                if isinstance(plugin, ParsesCallback):
                    async with self.database.connection() as connection:
                        gateway = await register(connection, settings)
                    inbox = GatewayInbox(gateway, self.database, recorder, self.clock, RecentRefs(), self.keep_replies)
                    found[settings.name] = (settings, plugin, inbox)
            yield found
        finally:
            recorder.stop()
            await recording

    async def _settle(self) -> int:
        return await settlement.settle_stored(self.database, self.clock.now())

    async def _tick(self) -> int:
        return await tick.tick(self.database, self.plans.load, self.clock.now())

    async def _cancel(self) -> int:
        return await tick.cancel_closed(self.database, self.clock.now())

    async def _end(self) -> int:
        async with self.database.transaction() as connection:
            return len(await authoring.end_expired(connection, self.clock.now()))


@asynccontextmanager
async def open_house(
    settings: Settings, *, clock: Clock | None = None, application: str = "daohu"
) -> AsyncIterator[House]:
    """Open everything; close it in the opposite order. Raises `SettingsError` and `UnavailableError`, each with a
    remedy. `clock` is the machine's: the house goes by the database's as soon as that is open."""
    registry = Registry.installed()
    registry.check(settings.gateways)
    async with AsyncExitStack() as stack:
        database_url, redis_url = await _servers(stack, settings)
        await create_database(database_url)
        await migrate_database(database_url)
        database = await Database.open(database_url, pool_max=settings.database.pool, application=application)
        stack.push_async_callback(database.close)
        time = await ledger_clock(database, clock or SystemClock())
        stack.push_async_callback(ended, asyncio.create_task(keep_time(database, time), name="time"))
        doorbell = Doorbell(redis_url)
        stack.push_async_callback(doorbell.close)
        jobs = JobQueue(redis_url)
        stack.push_async_callback(jobs.close)
        studio = AudioStudio(settings.data.dir / "audio")
        stack.push_async_callback(studio.close)
        texts = Texts(database)
        key = secret_key(settings)
        tokens = Tokens(key)
        longest_link = f"{settings.web.public_url}/r/{'x' * len(tokens.sign(1, 1))}"
        yield House(
            settings=settings,
            clock=time,
            database=database,
            doorbell=doorbell,
            registry=registry,
            jobs=jobs,
            redis_url=redis_url,
            texts=texts,
            recordings=Recordings(texts, studio, signal_of),
            studio=studio,
            office=office_of(settings, longest_link),
            plans=Plans(settings.district.code),
            tokens=tokens,
            factor=SecondFactor(key),
            journals={gateway.name: GatewayJournal(time) for gateway in settings.gateways},
        )


async def signal_of(alert_id: int) -> Signal:
    """A warning sounds in its colour; an order and an all-clear have the chime."""
    record = await authoring.load(alert_id)
    colour = record.colour if record.kind == Kind.WARNING else None
    return Signal(colour or "", drill=record.status != Status.ACTUAL)


def office_of(settings: Settings, longest_link: str) -> Office:
    """What the settings say about issuing."""
    return Office(
        district=settings.district.code,
        issuer=Issuer(name=f"{settings.district.name}应急管理局", district=settings.district.name),
        policy=settings.policy,
        rules=settings.approval.rules,
        library=Library(settings.messages.dir),
        longest_link=longest_link,
    )


def secret_key(settings: Settings) -> bytes:
    """The installation's secret: from the settings, else from its file under `[data] dir`, made when there is none."""
    if settings.security.secret_key is not None:
        return settings.security.secret_key.encode()
    path = settings.data.dir / "secret.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"读写不了密钥文件 {path}：{error.strerror}。",
            remedy="请检查 [data] dir 的权限，或设置 [security] secret_key。",
        ) from error


def _write_once(path: Path, text: str) -> None:
    """Two processes may start at once: the first to write wins, nobody ever reads half a key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


async def _servers(stack: AsyncExitStack, settings: Settings) -> tuple[str, str]:
    wanted = [
        name for name, url in (("postgres", settings.database.url), ("valkey", settings.redis.url)) if url == EMBEDDED
    ]
    if not wanted:
        return settings.database.url, settings.redis.url
    servers = EmbeddedServers(settings.data.dir, servers=wanted)
    endpoints = await asyncio.to_thread(servers.start)
    stack.push_async_callback(asyncio.to_thread, servers.stop)
    watching = asyncio.create_task(watch(servers), name="embedded")
    stack.callback(watching.cancel)
    return (
        endpoints.database_url if settings.database.url == EMBEDDED else settings.database.url,
        endpoints.redis_url if settings.redis.url == EMBEDDED else settings.redis.url,
    )
