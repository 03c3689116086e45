"""What the web needs of the rest of the house, put together where everything is wired and passed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from aiohttp import web

from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.ports import GatewaySettings, Inbox, ParsesCallback, Reply
from broadcaster.settings import Settings


class Bell(Protocol):
    """Says that there may be work; never raises, False when nobody could be told (work is found by sweeping)."""

    async def ring(self, topic: str) -> bool: ...


class AlertFormat(Protocol):
    """A document format for alerts: CAP 1.2 XML, as an adapter registers it."""

    def read(self, data: bytes) -> Alert:
        """The alert that `data` says; `InputError` for anything else, hostile documents included."""
        ...

    def write(self, alert: Alert) -> bytes:
        """The alert as a document."""
        ...


@dataclass(frozen=True, slots=True)
class Callback:
    """A gateway that calls us: its settings, who understands its calls, and where what they carry is stored."""

    gateway: GatewaySettings
    plugin: ParsesCallback
    inbox: Inbox


Issue = Callable[[int, Actor], Awaitable[AlertRecord]]
"""Issues an approved alert: state, frozen policy and run in one step, in the caller's transaction if there is one."""

KeepReplies = Callable[[str, Sequence[Reply]], Awaitable[None]]
"""Stores replies that came in under a gateway's name; returns when they are durable."""


class Standing(StrEnum):
    """Where the answer behind a reply link stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    HELP = "help"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ReplyView:
    """What a reply page says: the alert in words, and how its holder's answer stands. No personal data.

    `unit`: the holder answers for a village or grid, not for a household.
    """

    alert: Alert
    place: str
    unit: bool
    standing: Standing
    answered_at: datetime | None = None


class ReplyLinks(Protocol):
    """What stands behind `/r/{token}`. Each raises `NotFoundError` for a token that is not ours."""

    async def look(self, token: str) -> ReplyView:
        """What the link is about; changes nothing."""
        ...

    async def confirm(self, token: str) -> ReplyView:
        """Received; saying so twice changes nothing."""
        ...

    async def ask_help(self, token: str) -> ReplyView:
        """Received, and help is needed."""
        ...


Probe = Callable[[], Awaitable[str]]
"""Looks at one part of the system: "" when it answers, else what is wrong with it (for operators, no secrets)."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a handler may use. `cap` None: no CAP adapter is installed, and CAP routes say so.

    `probes` are looked at by `/readyz`; those named in `degrading` may fail without making us unready.
    `trusted_proxies`: addresses whose X-Forwarded-For is believed.
    """

    database: Database
    clock: Clock
    settings: Settings
    bell: Bell
    issue: Issue
    keep_replies: KeepReplies
    reply_links: ReplyLinks
    cap: AlertFormat | None = None
    callbacks: Mapping[str, Callback] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)
    degrading: frozenset[str] = frozenset({"doorbell"})
    trusted_proxies: frozenset[str] = frozenset()


CONTEXT = web.AppKey("context", Context)
