"""The alert's record: the CAP document as it was authored, and where it stands in its life."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from broadcaster.alerts.alert import Alert, Colour, Status
from broadcaster.alerts.document import from_document
from broadcaster.alerts.lifecycle import Standing
from broadcaster.alerts.state import State


class AlertRecord(Model):
    """One alert from draft to end.

    `identifier` is CAP's, unique here; `lineage` is the identifier of the first issue, `predecessor_id` the record that
    this one updates or cancels, `superseded_by` the identifier of the one that did so to it. An alert is *open* while
    it is issued and not superseded; no two open alerts have the same `reply_code`. `version` grows with every change.
    """

    id = fields.IntField(primary_key=True)
    identifier = fields.TextField()
    sender = fields.TextField()
    lineage = fields.TextField()
    predecessor_id: int | None = fields.IntField(null=True)
    state = fields.CharField(max_length=16)
    kind = fields.CharField(max_length=16)
    status = fields.CharField(max_length=16)
    msg_type = fields.CharField(max_length=16)
    hazard = fields.CharField(max_length=32)
    colour = fields.CharField(max_length=8, null=True)
    headline = fields.TextField()
    reply_code = fields.CharField(max_length=4, null=True)
    document: dict[str, Any] = fields.JSONField()
    policy: dict[str, Any] | None = fields.JSONField(null=True)
    created_by = fields.TextField()
    approved_by: str | None = fields.TextField(null=True)
    rejection: str | None = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    sent_at = fields.DatetimeField()
    issued_at = fields.DatetimeField(null=True)
    effective_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    superseded_by: str | None = fields.TextField(null=True)
    version = fields.IntField()

    class Meta:
        table = "alert"

    @property
    def alert(self) -> Alert:
        """The CAP message in full."""
        return from_document(self.document)

    @property
    def open(self) -> bool:
        """Whether it is issued and the latest of its lineage."""
        return self.state == State.ISSUED and self.superseded_by is None

    @property
    def standing(self) -> Standing:
        """What the rules ask of it."""
        return Standing(
            identifier=self.identifier,
            state=State(self.state),
            created_by=self.created_by,
            approved_by=self.approved_by,
            rehearsal=self.status != Status.ACTUAL,
            colour=Colour(self.colour) if self.colour else None,
            superseded_by=self.superseded_by,
        )
