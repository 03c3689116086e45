"""The house: everything a daohu process needs, opened in the right order and wired once. The composition root.

`open_house` starts the embedded servers if the settings say so, brings the schema up to date, and opens the database,
the doorbell, the drivers and the studio. Commands, the web and the worker take what they need from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from broadcaster import adapters
from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.notice import notice_of
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.share import share as alerts_share
from broadcaster.capacity.planner import Planner
from broadcaster.clock import Clock, SystemClock
from broadcaster.database import DATABASE_AWAY, Database, create_database
from broadcaster.dispatch import trials
from broadcaster.dispatch.callbacks import Called, callbacks
from broadcaster.dispatch.composer import LedgerComposer
from broadcaster.dispatch.documents import Documents, Write
from broadcaster.dispatch.questions import Questions
from broadcaster.dispatch.recordings import SPOKEN, Recordings, sounds_of
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import WORK, Doorbell, JobQueue, run_jobs
from broadcaster.embedded import EmbeddedServers, watch
from broadcaster.errands.carrier import Means
from broadcaster.errands.share import share as errands_share
from broadcaster.errors import SettingsError
from broadcaster.escalation import units
from broadcaster.escalation.share import share as escalation_share
from broadcaster.intake.admitting import require_trustworthy
from broadcaster.intake.answering import Answering
from broadcaster.intake.settling import Intake
from broadcaster.intake.share import Sources
from broadcaster.intake.share import share as intake_share
from broadcaster.issuing import Office, Plans, issue
from broadcaster.journal import GatewayJournal, Telling
from broadcaster.migrating import migrate_database
from broadcaster.outlets import Outlet
from broadcaster.ports import (
    Driver,
    Envelope,
    GatewaySettings,
    Notice,
    OrderStanding,
    Reply,
    Studio,
    TakesOrders,
)
from broadcaster.presence import Figures, Process, Tell, attend, nothing_more
from broadcaster.registry import Registry
from broadcaster.responses import inbox as responses
from broadcaster.responses.tokens import Tokens
from broadcaster.rosters.followers import Followers
from broadcaster.rosters.inviting import Inviting
from broadcaster.rosters.share import share as rosters_share
from broadcaster.security.second_factor import SecondFactor
from broadcaster.security.secret_key import secret_key
from broadcaster.security.share import share as security_share
from broadcaster.sensing import Sensor
from broadcaster.settings import EMBEDDED, Settings
from broadcaster.share import Chore, Share, at_work
from broadcaster.sources import Source
from broadcaster.speaking_ahead import SpeakingAhead
from broadcaster.tasks import ended
from broadcaster.timekeeping import keep_time, ledger_clock
from broadcaster.triggers.acting import Hand, issuing_by_rule
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.relaying import Relaying
from broadcaster.triggers.share import Instruments
from broadcaster.triggers.share import share as triggers_share
from broadcaster.webhooks.postman import Postman
from broadcaster.webhooks.share import share as webhooks_share
from broadcaster.webhooks.subscribers import Secrets
from broadcaster.worker import Bell, Duties, Pulse, Worker, worker_name
from channels.speech.engines import engines
from channels.speech.lexicon import BUILT_IN, read_lexicon
from channels.speech.studio import AudioStudio
from templates.issuer import Issuer
from templates.library import Library

WARM_AFTER = 5.0
"""Seconds from a worker's start until it warms up."""

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
    studio: Studio
    recordings: Recordings
    office: Office
    plans: Plans
    key: bytes = field(repr=False)
    tokens: Tokens
    factor: SecondFactor
    journals: Mapping[str, GatewayJournal]
    sources: Mapping[str, Source]
    sensors: Mapping[str, Sensor]
    readings: Readings
    document: Write | None = None
    outlet: Outlet | None = None

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
        sound = self.registry.capabilities(gateway).sound
        return await trials.envelope(number, address, gateway, district, self.studio, self.clock.now(), sound)

    @property
    def followers(self) -> Followers:
        """Hears who follows the official account."""
        return Followers(self.database, self.clock, self.key, self.office.issuer.name, self.settings.gateways)

    @property
    def inviting(self) -> Inviting:
        """Asks the platforms for the QR codes by which people follow us."""
        return Inviting(self.database, self.clock, self.settings.gateways, self.registry, self.journals)

    @property
    def planner(self) -> Planner:
        """Tells before an alert is issued how long it will take."""
        return Planner(
            self.database, self.clock, self.office, self.texts, self.settings.gateways, self.registry.capabilities
        )

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
        """Send, plan, settle and escalate, and run queued jobs, until cancelled; `name` instead of one made up."""
        name = name or worker_name()
        async with self.doorbell.listen(WORK) as ear:
            jobs = {PREPARE: self.recordings.prepare}
            queued = partial(run_jobs, self.redis_url, jobs, at_once=self.settings.worker.jobs)
            ahead = SpeakingAhead(self.database, self.clock, self.office, self.recordings)
            own = Share(tended={"speaking-ahead": ahead.look}, running={"jobs": queued, "warming": self._warm_up})
            shares = (own, *await self.shares(name))
            worker = self.worker(ear, name, [chore for share in shares for chore in share.chores])
            async with at_work(shares, DATABASE_AWAY):
                tell = Telling(self.journals)
                await self.attended("worker", worker.run(), worker.figures, name=name, tell=tell)

    async def shares(self, owner: str) -> Sequence[Share]:
        """What each context does in the worker `owner`, beside the sending; their chores in the order in which they are
        done."""
        database, clock, settings = self.database, self.clock, self.settings
        means = Means(database, clock, self.plans.load, partial(self.doorbell.ring, WORK))
        sources = Sources(settings.sources, self.sources, self._answering, self._telling)
        judging = replace(self.intake, relay=Relaying(self._hand))
        instruments = Instruments(self.readings, self.sensors, settings.readings.silence)
        return (
            escalation_share(database, clock, self.plans.load),
            alerts_share(database, clock),
            security_share(database, clock),
            await intake_share(database, clock, sources, judging, owner),
            triggers_share(database, clock, instruments, self._hand, owner),
            rosters_share(database, clock, owner),
            errands_share(means, owner),
            webhooks_share(self._postman(owner)),
        )

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

    def worker(self, bell: Bell, name: str, chores: Sequence[Chore]) -> Worker:
        """This process's worker."""
        composer = LedgerComposer(
            self.database,
            self.texts,
            self.recordings,
            self.links,
            units.UnitNames(self.database),
            Questions(self.database, self.clock),
            Documents(self.document),
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
                chores=chores,
                pulse=pulse,
            ),
            name,
        )

    def callbacks(self) -> AbstractAsyncContextManager[Called]:
        """The gateways that call us, while it is open."""
        return callbacks(
            self.database, self.clock, self.settings.gateways, self.registry, self.keep_replies, worker_name()
        )

    @property
    def intake(self) -> Intake:
        """Judges what the sources tell."""
        district = self.settings.district
        known = {settings.name: (settings, self.sources[settings.name]) for settings in self.settings.sources}
        return Intake(self.database, self.clock, known, district.code, district.name)

    def _postman(self, owner: str) -> Postman | None:
        """Brings subscribers what is issued; None where nothing writes CAP or posts."""
        if self.outlet is None or self.document is None:
            return None
        base = self.settings.web.public_url
        return Postman(self.database, self.clock, self.outlet, self.secrets, self.document, base, owner)

    @property
    def secrets(self) -> Secrets:
        """The secrets of the subscribers."""
        return Secrets(self.key)

    def _telling(self, name: str) -> Callable[[OrderStanding], Awaitable[None]]:
        """Tells the platform above how an order that it brought to this gateway's door stands."""
        gateway = self.settings.gateway(name)
        plugin = self.registry.plugin(gateway.channel, gateway.driver)
        if not isinstance(plugin, TakesOrders):
            raise SettingsError(f"网关 {name} 的上级不能通过它下达播发。", remedy="请核对来源的 gateway。")
        return partial(plugin.report, gateway, self.journals[name])

    async def _warm_up(self) -> None:
        """Have the first warning find its speech engine started, where anything speaks; not while the process is still
        finding its feet."""
        if any(gateway.channel in SPOKEN for gateway in self.settings.gateways):
            await asyncio.sleep(WARM_AFTER)
            await self.studio.warm()

    @property
    def _answering(self) -> Answering | None:
        """Answers sources; None where nothing writes CAP or posts."""
        if self.outlet is None or self.document is None:
            return None
        return Answering(self.database, self.clock, self.outlet, self.document, self.settings.district.code)

    @property
    def _hand(self) -> Hand:
        """What acts for the rules."""
        send = issuing_by_rule(self.database, self.clock, self.office, units.open_units)
        issuing = frozenset(self.settings.rules.issue)
        return Hand(self.database, self.clock, self.office, send, self.announce, issuing)


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    clock: Clock | None = None,
    application: str = "daohu",
    document: Write | None = None,
    outlet: Outlet | None = None,
) -> AsyncIterator[House]:
    """Open everything; close it in the opposite order. Raises `SettingsError` and `UnavailableError`, each with a
    remedy. `clock` is the machine's: the house goes by the database's as soon as that is open. `document` writes the
    alert that goes along with mails and to subscribers, `outlet` tells the latter; without it none is told."""
    registry = Registry.installed()
    registry.check(settings.gateways)
    settings = replace(settings, gateways=registry.placed(settings.gateways))
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
        sources = adapters.sources(settings.sources)
        require_trustworthy(settings, registry, sources)
        for source in sources.values():
            stack.push_async_callback(source.close)
        studio = studio_of(settings)
        stack.push_async_callback(studio.close)
        texts = Texts(database)
        names = [one.name for one in settings.gateways] + [one.name for one in settings.sensors]
        journals = {name: GatewayJournal(time) for name in names}
        key = secret_key(settings.security.secret_key, settings.data.dir)
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
            studio=studio,
            recordings=Recordings(
                texts, studio, notice, sounds_of(registry, settings.gateways), settings.speech.dialects
            ),
            office=office_of(settings, longest_link),
            plans=Plans(settings.district.code),
            key=key,
            tokens=tokens,
            factor=SecondFactor(key),
            journals=journals,
            sources=sources,
            sensors=adapters.sensors(settings.sensors, journals.__getitem__),
            readings=Readings(database, time, settings.readings.keep),
            document=document,
            outlet=outlet,
        )


def studio_of(settings: Settings, folder: Path | None = None) -> AudioStudio:
    """The studio that the settings describe, with its files in `folder` instead of the data's; no engine is started.
    `SettingsError` for engines and lexicons that are wrong."""
    lexicon = settings.speech.lexicon
    words = read_lexicon(lexicon, "[speech] lexicon", over=BUILT_IN) if lexicon is not None else BUILT_IN
    return AudioStudio(folder or settings.data.dir / "audio", engines(settings.speech.engines), words)


async def notice(alert_id: int) -> Notice:
    """An issued alert as a whole, for the gateways that pass it on."""
    record = await authoring.load(alert_id)
    return notice_of(record.alert, record.expires_at or record.sent_at)


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
