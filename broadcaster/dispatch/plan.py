"""What a run follows: the frozen policy and audience of one alert, read once per process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audiences.selection import Selection
from broadcaster.alerts.policy import Policy
from broadcaster.ports import Medium

CONTACT_MEDIUM = {Medium.SMS: "phone", Medium.VOICE: "phone", Medium.WECHAT: "wechat", Medium.EMAIL: "email"}
"""Which kind of contact each channel uses; loudspeakers use terminals."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One alert's dispatch: who, by which steps, until when.

    `lineage` is the first alert of its lineage, `urgency` 0 (red) to 3 (blue). A policy without steps for households
    tells duty holders only.
    """

    alert_id: int
    lineage: int
    rehearsal: bool
    urgency: int
    expires_at: datetime
    policy: Policy
    selection: Selection
