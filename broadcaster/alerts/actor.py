"""Who does something to an alert, and in which roles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """值班员 writes, 带班领导 approves, 管理员 may do both."""

    AUTHOR = "author"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is the account's name: unique, and never shown in logs."""

    name: str
    roles: frozenset[Role]

    def holds(self, roles: frozenset[Role]) -> bool:
        """Whether any of the actor's roles is among `roles`."""
        return not self.roles.isdisjoint(roles)
