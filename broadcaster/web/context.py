"""What the web needs of the rest of the house, put together where everything is wired and passed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.capacity.findings import Translate
from broadcaster.capacity.gateways import Abilities
from broadcaster.capacity.planner import Outlook
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.intake.settling import Intake
from broadcaster.issuing import Office, in_force
from broadcaster.ports import GatewaySettings, Inbox, ParsesCallback, Studio
from broadcaster.responses.tokens import Tokens
from broadcaster.rosters.followers import Followers
from broadcaster.rosters.invitations import Invitation
from broadcaster.security.second_factor import SecondFactor
from broadcaster.settings import Settings
from broadcaster.webhooks.subscribers import Secrets


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

Announce = Callable[[int], Awaitable[None]]
"""Makes the workers look at an alert that was issued; called once that is committed."""

Forecast = Callable[[int, Translate], Awaitable[Outlook]]
"""How long an alert will take with the gateways that there are, in the reader's language."""

Foresee = Callable[[Alert, Translate], Awaitable[Outlook]]
"""The same for an alert that nobody has kept yet."""

Invite = Callable[[str], Awaitable[list[Invitation]]]
"""The QR codes of the villages in a region, by which people follow the official account."""

Probe = Callable[[], Awaitable[str]]
"""Looks at one part of the system: "" when it answers, else what is wrong with it (for operators, no secrets)."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a handler may use. `office` is what the settings say about issuing; what holds today, with what was
    decided in the console, tells `office_in_force`. `tokens` reads reply links, `factor` the codes of second factors.
    `abilities` knows the drivers. `cap` None: no CAP adapter is installed. `followers` hears who follows us; None:
    nobody does. `invite` None: there is no official account.

    `probes` are looked at by `/readyz`; those named in `degrading` may fail without making us unready.
    `trusted_proxies`: addresses whose X-Forwarded-For is believed.
    """

    database: Database
    clock: Clock
    settings: Settings
    bell: Bell
    issue: Issue
    announce: Announce
    tokens: Tokens
    factor: SecondFactor
    forecast: Forecast
    foresee: Foresee
    office: Office
    abilities: Abilities
    studio: Studio
    intake: Intake
    secrets: Secrets
    cap: AlertFormat | None = None
    followers: Followers | None = None
    invite: Invite | None = None
    callbacks: Mapping[str, Callback] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)
    degrading: frozenset[str] = frozenset({"doorbell"})
    trusted_proxies: frozenset[str] = frozenset()

    async def office_in_force(self) -> Office:
        """What holds for the next alert: wording, policies, the issuer."""
        async with self.database.connection() as connection:
            return await in_force(connection, self.office)


CONTEXT = web.AppKey("context", Context)
