"""Opening the house: everything a daohu process needs, in the right order, wired once.

`open_house` starts the embedded servers if the settings say so, brings the schema up to date, and opens the database,
the doorbell, the drivers and the studio.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from broadcaster import adapters
from broadcaster.alerts import authoring
from broadcaster.alerts.notice import notice_of
from broadcaster.clock import Clock, SystemClock
from broadcaster.database import Database, create_database
from broadcaster.dispatch.documents import Write
from broadcaster.dispatch.recordings import Recordings, sounds_of
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import Doorbell, JobQueue
from broadcaster.embedded import EmbeddedServers, watch
from broadcaster.house.house import House
from broadcaster.intake.admitting import require_trustworthy
from broadcaster.issuing import Office, Plans
from broadcaster.journal import GatewayJournal
from broadcaster.migrating import migrate_database
from broadcaster.outlets import Outlet
from broadcaster.ports import Notice
from broadcaster.registry import Registry
from broadcaster.responses.tokens import Tokens
from broadcaster.security.second_factor import SecondFactor
from broadcaster.security.secret_key import secret_key
from broadcaster.settings import EMBEDDED, DistrictSettings, Settings
from broadcaster.tasks import ended
from broadcaster.timekeeping import keep_time, ledger_clock
from broadcaster.triggers.readings import Readings
from channels.speech.engines import engines
from channels.speech.lexicon import BUILT_IN, read_lexicon
from channels.speech.studio import AudioStudio
from templates.issuer import Issuer
from templates.library import Library


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
        database = await _ledger(stack, settings, database_url, application)
        time = await _time(stack, database, clock or SystemClock())
        doorbell, jobs = Doorbell(redis_url), JobQueue(redis_url)
        stack.push_async_callback(doorbell.close)
        stack.push_async_callback(jobs.close)
        sources = adapters.sources(settings.sources)
        require_trustworthy(settings, registry, sources)
        for source in sources.values():
            stack.push_async_callback(source.close)
        studio = studio_of(settings)
        stack.push_async_callback(studio.close)
        names = [one.name for one in settings.gateways] + [one.name for one in settings.sensors]
        journals = {name: GatewayJournal(time) for name in names}
        texts, sounds = Texts(database), sounds_of(registry, settings.gateways)
        key = secret_key(settings.security.secret_key, settings.data.dir)
        tokens = Tokens(key)
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
            recordings=Recordings(texts, studio, notice, sounds, settings.speech.dialects),
            office=office_of(settings, tokens),
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


def office_of(settings: Settings, tokens: Tokens) -> Office:
    """What the settings say about issuing."""
    district = settings.district
    return Office(
        district=district.code,
        issuer=issuer_of(district),
        policy=settings.policy,
        rules=settings.approval.rules,
        library=Library(settings.messages.dir),
        longest_link=f"{settings.web.public_url}/r/{'x' * len(tokens.sign(1, 1))}",
    )


def issuer_of(district: DistrictSettings) -> Issuer:
    """In whose name the district's messages go out."""
    return Issuer(
        name=district.issuer or f"{district.name}应急管理局",
        district=district.name,
        english=district.english_issuer,
        english_district=district.english_name,
        hotline=district.hotline,
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


async def _ledger(stack: AsyncExitStack, settings: Settings, url: str, application: str) -> Database:
    """The database, made and brought up to date where it has to be."""
    await create_database(url)
    await migrate_database(url)
    database = await Database.open(url, pool_max=settings.database.pool, application=application)
    stack.push_async_callback(database.close)
    return database


async def _time(stack: AsyncExitStack, database: Database, machine: Clock) -> Clock:
    """The database's time, and the machine's clock kept right by it."""
    clock = await ledger_clock(database, machine)
    stack.push_async_callback(ended, asyncio.create_task(keep_time(database, clock), name="time"))
    return clock
