"""What a status report's status proves: the carriers' protocols share the words."""

from __future__ import annotations

from broadcaster.ports import Evidence

DELIVERED = "DELIVRD"
ON_ITS_WAY = frozenset({"ENROUTE", "ACCEPTD", "UNKNOWN"})
"""Statuses that prove nothing yet: the gateway, or somebody else's, has the message and says no more."""


def judge(status: str) -> Evidence | None:
    """The evidence. EXPIRED, DELETED, UNDELIV, REJECTD and the carriers' own (MA:0001, MI:0012, …) are failures."""
    if status == DELIVERED:
        return Evidence.DELIVERED
    return None if status in ON_ITS_WAY else Evidence.FAILED
