"""The house: everything a daohu process holds open. Commands, the web and the worker take what they need from it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from broadcaster.alerts.actor import Actor
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.share import share as alerts_share
from broadcaster.capacity.planner import Planner
from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.dispatch import trials
from broadcaster.dispatch.callbacks import Called, callbacks
from broadcaster.dispatch.composer import LedgerComposer
from broadcaster.dispatch.documents import Documents, Write
from broadcaster.dispatch.questions import Questions
from broadcaster.dispatch.recordings import SPOKEN, Recordings
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import WORK, Doorbell, JobQueue, run_jobs
from broadcaster.errands.carrier import Means
from broadcaster.errands.share import share as errands_share
from broadcaster.errors import SettingsError
from broadcaster.escalation import units
from broadcaster.escalation.share import share as escalation_share
from broadcaster.intake.answering import Answering
from broadcaster.intake.settling import Intake
from broadcaster.intake.share import Sources
from broadcaster.intake.share import share as intake_share
from broadcaster.issuing import Office, Plans, issue
from broadcaster.journal import GatewayJournal, Telling
from broadcaster.outlets import Outlet
from broadcaster.ports import (
    Driver,
    Envelope,
    GatewaySettings,
    GoesByTime,
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
from broadcaster.security.share import share as security_share
from broadcaster.sensing import Sensor
from broadcaster.settings import Settings
from broadcaster.share import Chore, Share, together
from broadcaster.sources import Source
from broadcaster.speaking_ahead import SpeakingAhead
from broadcaster.triggers.acting import Hand, issuing_by_rule
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.relaying import Relaying
from broadcaster.triggers.share import Instruments
from broadcaster.triggers.share import share as triggers_share
from broadcaster.webhooks.postman import Postman
from broadcaster.webhooks.share import share as webhooks_share
from broadcaster.webhooks.subscribers import Secrets
from broadcaster.worker import Bell, Duties, Pulse, Worker, worker_name

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
        plugin = self.registry.plugin(gateway.channel, gateway.driver)
        if isinstance(plugin, GoesByTime):
            plugin = plugin.by(self.clock.now)
        return plugin.build(gateway, self.journals[gateway.name])

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
            work, tell = together(worker.run(), shares, DATABASE_AWAY), Telling(self.journals)
            await self.attended("worker", work, worker.figures, name=name, tell=tell)

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
