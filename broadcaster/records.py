"""Every record (Tortoise model) of the core, gathered for the ORM; each lives with the context that owns it."""

from __future__ import annotations

from tortoise.models import Model

from broadcaster.alerts.records import AlertRecord
from broadcaster.security.records import AccountRecord, CredentialRecord, GrantRecord

__models__: list[type[Model]] = [AlertRecord, AccountRecord, CredentialRecord, GrantRecord]
