"""Settlement: a stored reply becomes a confirmation, a call for help, or a question for the duty desk.

Confirming a unit, cancelling what waits to be sent to it and ending its escalation are one transaction. What was stored
but not settled (a crash in between) is found by the next sweep; what is settled twice changes nothing. Text messages,
WeChat, calls, mail and the reply page all come through here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch import questions, targets
from broadcaster.dispatch.ledger import fold_all
from broadcaster.dispatch.questions import Question
from broadcaster.escalation.confirmation import Confirmation, confirm
from broadcaster.escalation.units import SQL
from broadcaster.ports import Medium
from broadcaster.responses import clarify, inbox
from broadcaster.responses.matching import Decision, decide
from broadcaster.responses.reply import Understanding, understand
from broadcaster.responses.response import LINK, Intent, Outcome, Response
from broadcaster.responses.senders import KnownAlert, contact_address, known_alerts, senders, situations

log = structlog.get_logger()

BUNDLE = 200
"""Replies settled in one transaction."""

Results = list[tuple[Response, Decision]]


async def settle_stored(database: Database, now: datetime, *, bundle: int = BUNDLE) -> int:
    """Settle a bundle of stored replies; returns how many there were."""
    async with database.transaction() as connection:
        responses = await inbox.unsettled(connection, bundle)
        if not responses:
            return 0
        results = await settle(connection, responses, now)
    log.info("replies.settled", count=len(results), units=sum(one.outcome is Outcome.SETTLED for _, one in results))
    return len(results)


async def settle(connection: Connection, responses: Sequence[Response], now: datetime) -> Results:
    """Settle replies that this transaction has locked; returns what became of each. What gateways took by now is folded
    first: whether somebody had been told decides whether the answer counts."""
    await fold_all(connection, now)
    alerts = await known_alerts(connection, now)
    who = await senders(connection, responses)
    asked = [(sender, response.rehearsal) for sender, response in zip(who, responses, strict=True)]
    found = await situations(connection, asked, alerts, now)
    results = [
        (response, decide(said(response), situation, response.received_at, _about(response), sender.unit_id))
        for response, sender, situation in zip(responses, who, found, strict=True)
    ]
    return await _apply(connection, results, alerts, now)


def said(response: Response) -> Understanding:
    """What a reply says; on the reply page a button says it, and what was written beside is a note."""
    text = response.text.partition(" ")[0] if response.channel == LINK else response.text
    return understand(text, keypad=response.channel == Medium.VOICE)


def _about(response: Response) -> int | None:
    return response.alert_id if response.delivery is not None else None


async def _apply(connection: Connection, results: Results, alerts: Mapping[int, KnownAlert], now: datetime) -> Results:
    """Delivery states first (`settle` holds their lock), then units, then households: everybody takes them in this
    order."""
    results = await _confirm(connection, results, now)
    reached = [(one.alert_id, home) for _, one in results if one.alert_id for home in one.household_ids]
    await targets.reach_many(connection, sorted(set(reached)), "response", now)
    for response, decision in results:
        if decision.intent is Intent.HELP:
            await _raise_help(connection, response, decision, now)
    await inbox.settled(connection, results, now)
    await questions.ask(connection, [one for result in results if (one := _question(result, alerts))], now)
    return results


def _question(result: tuple[Response, Decision], alerts: Mapping[int, KnownAlert]) -> Question | None:
    """What to ask the sender of an answer that may mean several alerts; None when all is clear, or nobody can read."""
    response, decision = result
    if not decision.options or response.channel not in clarify.WRITTEN:
        return None
    channel = Medium(response.channel)
    message = clarify.message(channel, [alerts[key] for key in decision.options])
    address = contact_address(channel, response.address)
    return Question(response.id, decision.options, channel.value, address, message)


async def _confirm(connection: Connection, results: Results, now: datetime) -> Results:
    """Confirm the units; the first of several answers counts, and the others learn that they came second."""
    first: dict[int, tuple[Response, Decision]] = {}
    for response, decision in results:
        if decision.outcome is Outcome.SETTLED:
            for unit_id in decision.unit_ids:
                first.setdefault(unit_id, (response, decision))
    if not first:
        return results
    said = [
        Confirmation(unit_id, response.channel, decision.person_id, decision.moved, response.id)
        for unit_id, (response, decision) in first.items()
    ]
    confirmed = await confirm(connection, said, now)
    settled_by = {first[unit_id][0].id for unit_id in confirmed.unit_ids}
    return [(response, _second(response, decision, settled_by, confirmed.before)) for response, decision in results]


def _second(response: Response, decision: Decision, settled_by: set[int], states: Mapping[int, str]) -> Decision:
    if decision.outcome is not Outcome.SETTLED or response.id in settled_by:
        return decision
    over = any(states.get(unit_id) == "cancelled" for unit_id in decision.unit_ids)
    return replace(decision, outcome=Outcome.LATE if over else Outcome.DUPLICATE)


async def _raise_help(connection: Connection, response: Response, decision: Decision, now: datetime) -> None:
    """For the unit of a duty holder, else for each home at the address, else for the bare address; the desk is told."""
    unit_id = next(iter(decision.unit_ids), None)
    for household_id in decision.help_households or (None,):
        raised = await connection.fetchrow(
            SQL["raise_help"],
            decision.alert_id,
            response.id,
            household_id,
            decision.person_id,
            unit_id,
            response.address,
            response.text,
            now,
        )
        await connection.execute(
            SQL["notice_help"], raised["alert_id"], raised["unit_id"], raised["id"], raised["region"], now
        )
    log.warning("help.raised", alert=decision.alert_id, response=response.id)
