"""Who may do what, and where: one pure table and the functions that read it.

A grant gives a role inside a region and everything below it (region codes nest as text prefixes). Acting on an alert
needs a grant that covers *every* region of the alert; seeing it needs only that they overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.errors import ForbiddenError, OutsideError


class Role(StrEnum):
    """What an account is trusted with."""

    VIEWER = "viewer"
    AUTHOR = "author"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    VILLAGE_HEAD = "village_head"
    GRID_MEMBER = "grid_member"
    INSTRUMENT = "instrument"


class Action(StrEnum):
    """What can be asked of the system."""

    SEE = "alert.see"
    CREATE = "alert.create"
    EDIT = "alert.edit"
    SUBMIT = "alert.submit"
    RECALL = "alert.recall"
    APPROVE = "alert.approve"
    REJECT = "alert.reject"
    ISSUE = "alert.issue"
    END = "alert.end"
    UPDATE = "alert.update"
    CANCEL = "alert.cancel"
    RESEND = "alert.resend"
    SEE_HOUSEHOLDS = "households.see"
    CONFIRM = "unit.confirm"
    CLOSE_HELP = "help.close"
    SEE_AUDIENCE = "audience.see"
    CORRECT_CONTACTS = "contacts.correct"
    IMPORT = "audience.import"
    MANAGE_DUTIES = "duties.manage"
    ASSIGN_DOORS = "doors.assign"
    MANAGE_ACCOUNTS = "accounts.manage"
    MANAGE_GATEWAYS = "gateways.manage"
    MANAGE_TEMPLATES = "templates.manage"
    MANAGE_POLICIES = "policies.manage"
    SEE_STATIONS = "stations.see"
    MANAGE_STATIONS = "stations.manage"
    SEND_READINGS = "readings.send"
    MANAGE_RULES = "rules.manage"
    SET_RULES = "rules.set"
    VETO_RULES = "rules.veto"
    READ_AUDIT = "audit.read"


_ATTENDING = {Action.CONFIRM, Action.CLOSE_HELP}
_LOCAL = {Action.SEE_AUDIENCE, Action.SEE_HOUSEHOLDS, Action.CORRECT_CONTACTS}
_KEEPING = {Action.SEE_AUDIENCE, Action.CORRECT_CONTACTS, Action.IMPORT, Action.MANAGE_DUTIES}
_AUTHORING = {
    Action.CREATE,
    Action.EDIT,
    Action.SUBMIT,
    Action.RECALL,
    Action.ISSUE,
    Action.UPDATE,
    Action.CANCEL,
    Action.RESEND,
    Action.ASSIGN_DOORS,
}

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.SEE, Action.SEE_STATIONS}),
    Role.AUTHOR: frozenset(
        {Action.SEE, Action.SEE_HOUSEHOLDS, Action.SEE_STATIONS, Action.VETO_RULES} | _ATTENDING | _AUTHORING | _KEEPING
    ),
    Role.APPROVER: frozenset(
        {
            Action.SEE,
            Action.SEE_HOUSEHOLDS,
            Action.SEE_AUDIENCE,
            Action.APPROVE,
            Action.REJECT,
            Action.ISSUE,
            Action.END,
            Action.CANCEL,
            Action.RESEND,
            Action.ASSIGN_DOORS,
            Action.READ_AUDIT,
            Action.SEE_STATIONS,
            Action.SET_RULES,
            Action.VETO_RULES,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Action.SEE,
            Action.MANAGE_ACCOUNTS,
            Action.MANAGE_GATEWAYS,
            Action.MANAGE_TEMPLATES,
            Action.MANAGE_POLICIES,
            Action.READ_AUDIT,
            Action.SEE_STATIONS,
            Action.MANAGE_STATIONS,
            Action.MANAGE_RULES,
        }
        | _KEEPING
    ),
    Role.VILLAGE_HEAD: frozenset({Action.SEE, Action.ASSIGN_DOORS} | _LOCAL | _ATTENDING),
    Role.GRID_MEMBER: frozenset({Action.SEE} | _LOCAL | _ATTENDING),
    Role.INSTRUMENT: frozenset({Action.SEND_READINGS}),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """`role` inside the region `region` (a code of 0 to 15 digits; "" is everywhere)."""

    role: Role
    region: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: an account and its grants."""

    account_id: int
    name: str
    grants: tuple[Grant, ...]


SYSTEM = Actor(0, "system", tuple(Grant(role, "") for role in Role))
"""The machine itself: the command line and the worker."""


def scopes(actor: Actor, action: Action) -> tuple[str, ...]:
    """The region prefixes where `actor` may do `action`, outermost only, in order; empty when nowhere."""
    outermost: list[str] = []
    for region in sorted(grant.region for grant in actor.grants if action in ALLOWED[grant.role]):
        if not outermost or not region.startswith(outermost[-1]):
            outermost.append(region)
    return tuple(outermost)


def may(actor: Actor, action: Action, regions: Iterable[str]) -> bool:
    """Whether `actor` may do `action` to something that covers `regions`, all of them; nothing covers no region."""
    asked = tuple(regions)
    allowed = scopes(actor, action)
    return bool(asked) and all(region.startswith(allowed) for region in asked) if allowed else False


def touches(actor: Actor, action: Action, regions: Iterable[str]) -> bool:
    """Whether any of `regions` lies inside, or contains, a region where `actor` may do `action`."""
    allowed = scopes(actor, action)
    return any(region.startswith(scope) or scope.startswith(region) for region in regions for scope in allowed)


def roles_over(actor: Actor, regions: Iterable[str]) -> frozenset[Role]:
    """The roles that `actor` holds over every one of `regions`."""
    asked = tuple(regions)

    def holds(role: Role) -> bool:
        granted = tuple(grant.region for grant in actor.grants if grant.role is role)
        return bool(granted) and all(region.startswith(granted) for region in asked)

    return frozenset(role for role in Role if asked and holds(role))


def require(actor: Actor, action: Action, regions: Iterable[str]) -> None:
    """Raise `OutsideError` unless `may` says yes."""
    asked = tuple(regions)
    if may(actor, action, asked):
        return
    allowed = scopes(actor, action)
    outside = [region for region in asked if not allowed or not region.startswith(allowed)]
    raise OutsideError(
        "您没有在 %(regions)s 进行该操作（%(action)s）的权限。",
        remedy="请在自己的辖区内选择，或请管理员授予该地区的角色。",
        regions=outside[:5],
        action=action.value,
    )


def require_somewhere(actor: Actor, action: Action) -> tuple[str, ...]:
    """The scopes of `action`; raises `ForbiddenError` when there are none."""
    allowed = scopes(actor, action)
    if not allowed:
        raise ForbiddenError(
            "您没有该操作（%(action)s）的权限。", remedy="请管理员授予相应的角色。", action=action.value
        )
    return allowed
