"""The house: everything a daohu process needs, opened in the right order and wired once. The composition root.

`open_house` starts the embedded servers if the settings say so, brings the schema up to date, and opens the
database, the
doorbell, the drivers and the studio. Commands, the web and the worker take what they need from it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.colour import Colour
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.clock import Clock, SystemClock
from broadcaster.database import Database, create_database, migrate_database
from broadcaster.dispatch.composer import LedgerComposer
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import Doorbell
from broadcaster.embedded import EmbeddedServers, watch
from broadcaster.errors import SettingsError
from broadcaster.escalation import settlement, tick, units
from broadcaster.issuing import Office, Plans, issue
from broadcaster.journal import GatewayJournal
from broadcaster.ports import Driver, GatewaySettings, Reply, Studio
from broadcaster.registry import Registry
from broadcaster.responses import inbox
from broadcaster.responses.tokens import Tokens
from broadcaster.settings import EMBEDDED, Settings
from broadcaster.worker import Bell, Duties, Pulse, Worker
from channels.speech.studio import AudioStudio
from templates.issuer import Issuer
from templates.library import Library

WORK = "work"
"""The doorbell's topic: there may be something to send or to do."""


@dataclass(frozen=True, slots=True)
class House:
    """What is open. One per process."""

    settings: Settings
    clock: Clock
    database: Database
    doorbell: Doorbell
    registry: Registry
    studio: Studio
    office: Office
    plans: Plans
    tokens: Tokens
    journals: Mapping[str, GatewayJournal]

    async def issue(self, alert_id: int, actor: Actor) -> AlertRecord:
        """Issue an approved alert and ring the bell."""
        record = await issue(self.database, self.clock, self.office, alert_id, actor, units.open_units)
        await self.doorbell.ring(WORK)
        return record

    def driver(self, gateway: GatewaySettings) -> Driver:
        """A driver for one slot of a gateway."""
        return self.registry.plugin(gateway.channel, gateway.driver).build(gateway, self.journals[gateway.name])

    async def keep_replies(self, gateway: str, items: Sequence[Reply]) -> None:
        """Store a gateway's replies; durable when this returns. Understanding them is the worker's next look."""
        source = self.settings.gateway(gateway)
        now = self.clock.now()
        await inbox.keep(self.database, gateway, source.channel, items, now, rehearsal=source.rehearsal)
        await self.doorbell.ring(WORK)

    def link(self, alert_id: int, ordinal: int, expires: datetime) -> str:
        """The address of a delivery's reply page; it can be read for a day after the alert."""
        return f"{self.settings.web.public_url}/r/{self.tokens.sign(alert_id, ordinal, expires + timedelta(days=1))}"

    def worker(self, bell: Bell) -> Worker:
        """This process's worker."""
        composer = LedgerComposer(
            self.database, Texts(self.database), self.studio, self.link, units.UnitNames(self.database)
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
                chores=(self._settle, self._tick, self._cancel, self._end),
                pulse=pulse,
            )
        )

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
    remedy."""
    clock = clock or SystemClock()
    registry = Registry.installed()
    registry.check(settings.gateways)
    async with AsyncExitStack() as stack:
        database_url, redis_url = await _servers(stack, settings)
        await create_database(database_url)
        await migrate_database(database_url)
        database = await Database.open(database_url, pool_max=settings.database.pool, application=application)
        stack.push_async_callback(database.close)
        doorbell = Doorbell(redis_url)
        stack.push_async_callback(doorbell.close)
        studio = AudioStudio(settings.data.dir / "audio")
        stack.push_async_callback(studio.close)
        tokens = Tokens(secret_key(settings))
        longest_link = f"{settings.web.public_url}/r/{'x' * len(tokens.sign(1, 1))}"
        yield House(
            settings=settings,
            clock=clock,
            database=database,
            doorbell=doorbell,
            registry=registry,
            studio=studio,
            office=office_of(settings, longest_link),
            plans=Plans(settings.district.code),
            tokens=tokens,
            journals={gateway.name: GatewayJournal(clock) for gateway in settings.gateways},
        )


def office_of(settings: Settings, longest_link: str) -> Office:
    """What the settings say about issuing."""
    required = frozenset(Colour(colour) for colour in settings.approval.required)
    return Office(
        district=settings.district.code,
        issuer=Issuer(name=f"{settings.district.name}应急管理局", district=settings.district.name),
        policy=settings.policy,
        rules=ApprovalRules(
            self_approval=settings.approval.own,
            issue_first=settings.approval.emergency,
            exempt=frozenset(Colour) - required,
        ),
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
