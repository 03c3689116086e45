"""How long a browser's session lasts, and whose needs a second factor: what the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from broadcaster.security.permissions import Actor, Role
from broadcaster.settings.sections import SecuritySettings

OFFICES = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
"""The roles whose misuse harms most: who can let an alert out, and who can make others able to."""


class Demand(StrEnum):
    """Who must have a second factor. Everybody may."""

    NONE = "none"
    OFFICES = "offices"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class SessionRules:
    """`life`: the longest that a session lasts; `idle`: how long it may go unused."""

    life: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(minutes=120)
    second_factor: Demand = Demand.NONE

    @classmethod
    def of(cls, settings: SecuritySettings) -> SessionRules:
        """As the section `[security]` says."""
        return cls(
            life=timedelta(hours=settings.session_life),
            idle=timedelta(minutes=settings.session_idle),
            second_factor=Demand(settings.second_factor),
        )

    def asks(self, actor: Actor) -> bool:
        """Whether this account must have a second factor."""
        match self.second_factor:
            case Demand.NONE:
                return False
            case Demand.OFFICES:
                return any(grant.role in OFFICES for grant in actor.grants)
            case Demand.EVERYONE:
                return True


DEFAULT = SessionRules()
