"""The planner: asks the database whom an alert is for and the settings what the gateways take, and forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.policy import ChannelStep
from broadcaster.alerts.records import AlertRecord
from broadcaster.capacity import audience, measured, texts
from broadcaster.capacity.duty import DutyDemand, duty_demand
from broadcaster.capacity.findings import Finding, Severity, Translate, findings
from broadcaster.capacity.forecast import Forecast, Machine, Question, forecast
from broadcaster.capacity.gateways import Abilities, ChannelCapacity, channel_capacity
from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch.pausing import paused_names
from broadcaster.dispatch.plan import Plan
from broadcaster.dispatch.texts import FALLBACK_LANGUAGE, TextKey, Texts
from broadcaster.issuing import Office, in_force, nobody, plan_if_issued
from broadcaster.ports import GatewaySettings, Medium
from templates.renderer import render
from templates.skeleton import Purpose, Skeleton

MEASURED = Machine(
    planned_per_s=measured.PLANNED_PER_S,
    submitted_per_s=measured.SUBMITTED_PER_S,
    first_submit=measured.FIRST_SUBMIT,
    answer=measured.ANSWER,
    source=measured.SOURCE,
)

UNKNOWN_CODE = "88"
"""As long as most reply codes, for a draft that has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A forecast, and what is worth a warning in it. `alert_id` None: for a number of recipients."""

    alert_id: int | None
    headline: str
    forecast: Forecast
    findings: tuple[Finding, ...]

    @property
    def everybody_in_time(self) -> bool:
        """Whether nothing keeps a message from going out while the alert holds."""
        return all(one.severity is not Severity.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True)
class Planner:
    """Reads only; whoever asks may see the alert."""

    database: Database
    clock: Clock
    office: Office
    texts: Texts
    gateways: Sequence[GatewaySettings]
    abilities: Abilities

    async def outlook(self, alert_id: int, translate: Translate, machine: Machine = MEASURED) -> Outlook:
        """What issuing a draft now would take; of an issued alert, what it was to take. `RuleError` for one that is for
        nobody."""
        return await self._outlook(await authoring.load(alert_id), translate, machine)

    async def outlook_of(self, alert: Alert, translate: Translate, machine: Machine = MEASURED) -> Outlook:
        """The same of an alert that nobody has kept yet; `RuleError` also for one that does not say when it expires."""
        return await self._outlook(await authoring.unkept(alert, self.clock.now()), translate, machine)

    async def _outlook(self, record: AlertRecord, translate: Translate, machine: Machine) -> Outlook:
        async with self.database.connection() as connection:
            office = await in_force(connection, self.office)
            plan = await plan_if_issued(record, office)
            issued_at = record.issued_at or self.clock.now()
            paused = await paused_names(connection)
            able = [gateway for gateway in self.gateways if gateway.name not in paused]
            question = await replace(self, office=office, gateways=able)._question(
                connection, record, plan, issued_at, machine
            )
        made = forecast(question)
        return Outlook(
            alert_id=record.id or None,
            headline=record.headline,
            forecast=made,
            findings=findings(made, able, translate),
        )

    async def _question(
        self, connection: Connection, record: AlertRecord, plan: Plan, issued_at: datetime, machine: Machine
    ) -> Question:
        homes = await audience.count_homes(connection, plan)
        duty = await duty_demand(connection, plan, self.clock.now())
        terminals = await audience.count_terminals(connection, plan)
        _refuse_nobody(homes, duty, terminals)
        skeleton = await self._sms(record)
        places = [one.place for one in homes]
        parts = texts.parts_by_place(skeleton, places, self.office.longest_link)
        on_average = texts.on_average(parts, [(one.place, one.households) for one in homes])
        steps = plan.policy.households
        channels = [channel for step in steps for channel in step.channels]
        channels += [Medium.LOUDSPEAKER] if terminals else []
        channels += [channel for ask in duty.asks for channel in ask.messages]
        return Question(
            rehearsal=plan.rehearsal,
            expires_in=(plan.expires_at - issued_at).total_seconds(),
            steps=steps,
            demand=audience.demand_of(homes, plan.policy),
            duty=duty,
            terminals=terminals,
            text=texts.text_forecast(skeleton, parts, self.office.longest_link)
            if Medium.SMS in channels and parts
            else None,
            parts=parts,
            waiting=await audience.count_waiting(connection, plan),
            capacities={
                channel: _capacity(channel, self.gateways, plan.rehearsal, machine, self.abilities, on_average)
                for channel in dict.fromkeys(channels)
            },
            machine=machine,
        )

    async def _sms(self, record: AlertRecord) -> Skeleton:
        """The text message to households: as it was frozen, or as it stands."""
        if record.issued_at is not None:
            return await self.texts.skeleton(
                TextKey(record.id, Purpose.PUBLIC.value, Medium.SMS.value, FALLBACK_LANGUAGE)
            )
        return render(
            record.alert,
            Medium.SMS,
            FALLBACK_LANGUAGE,
            Purpose.PUBLIC,
            record.reply_code or UNKNOWN_CODE,
            issuer=self.office.issuer,
            library=self.office.library,
        )


def outlook_of_recipients(
    recipients: int,
    channel: Medium,
    gateways: Sequence[GatewaySettings],
    abilities: Abilities,
    translate: Translate,
    *,
    rehearsal: bool,
    words: str | None = None,
    machine: Machine = MEASURED,
) -> Outlook:
    """The same for one message to each of so many recipients, by the settings alone. `words`: the complete text, whose
    parts are counted where it is a text message."""
    demand = audience.Demand(households=recipients, step_households=[recipients])
    demand.loads[0, channel] = audience.Load(at_once=recipients)
    demand.loads[0, channel].places[""] = recipients
    text = texts.of_words(words) if words is not None and channel is Medium.SMS else None
    made = forecast(
        Question(
            rehearsal=rehearsal,
            expires_in=None,
            steps=[ChannelStep((channel,), float("inf"))],
            demand=demand,
            duty=DutyDemand(0, 0, ()),
            terminals=0,
            text=text,
            parts={"": text.parts_most} if text else {},
            waiting={},
            capacities={
                channel: _capacity(channel, gateways, rehearsal, machine, abilities, text.parts_most if text else 1.0)
            },
            machine=machine,
        )
    )
    return Outlook(alert_id=None, headline="", forecast=made, findings=findings(made, gateways, translate))


def _capacity(
    channel: Medium,
    gateways: Sequence[GatewaySettings],
    rehearsal: bool,
    machine: Machine,
    abilities: Abilities,
    parts: float,
) -> ChannelCapacity:
    """`parts` of a text message, on average."""
    return channel_capacity(
        channel,
        gateways,
        rehearsal=rehearsal,
        answer=machine.answer,
        machine=machine.submitted_per_s,
        abilities=abilities,
        parts=parts if channel is Medium.SMS else 1.0,
    )


def _refuse_nobody(homes: Sequence[audience.Homes], duty: DutyDemand, terminals: int) -> None:
    if not homes and not duty.units and not duty.asks and not terminals:
        raise nobody()
