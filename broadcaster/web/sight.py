"""What of an alert a caller may see: an alert of other regions does not exist for them."""

from __future__ import annotations

from collections.abc import Iterable

from broadcaster.alerts import actor as alerts
from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import DaohuError, NotFoundError, OutsideError
from broadcaster.security.coverage import coverage
from broadcaster.security.naming import names_of
from broadcaster.security.permissions import Action, Actor, Role, require_somewhere, roles_over, touches
from broadcaster.web.context import Context

_AUTHORING = {
    Role.AUTHOR: alerts.Role.AUTHOR,
    Role.APPROVER: alerts.Role.APPROVER,
    Role.ADMINISTRATOR: alerts.Role.ADMINISTRATOR,
}


def author(actor: Actor, regions: Iterable[str]) -> alerts.Actor:
    """The actor as the alert's rules know one: with the office roles held over all of `regions`."""
    held = roles_over(actor, regions)
    return alerts.Actor(actor.name, frozenset(_AUTHORING[role] for role in held if role in _AUTHORING))


async def covers(context: Context, record: AlertRecord) -> tuple[str, ...]:
    """The regions that the alert covers."""
    async with context.database.connection() as connection:
        return await coverage(connection, record.alert, context.settings.district.code)


async def seen(context: Context, actor: Actor, alert_id: int) -> AlertRecord:
    """The alert; `NotFoundError` also where it touches no region that the actor may see."""
    record = await authoring.load(alert_id)
    if not touches(actor, Action.SEE, await covers(context, record)):
        raise NotFoundError("没有编号为 %(alert_id)s 的预警。", remedy="请从列表中重新选择。", alert_id=alert_id)
    return record


async def call_by_name(context: Context, error: DaohuError) -> str:
    """The error's sentence, with the names of the regions that it is about."""
    if isinstance(error, OutsideError):
        async with context.database.connection() as connection:
            error.named(await names_of(connection, error.regions))
    return error.sentence


async def household_scopes(context: Context, actor: Actor, alert_id: int) -> tuple[str, ...]:
    """The regions whose households the actor may see under this alert; `ForbiddenError` where there are none."""
    await seen(context, actor, alert_id)
    return require_somewhere(actor, Action.SEE_HOUSEHOLDS)
