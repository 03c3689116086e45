"""The tables that hold rows of an alert: what of them goes into its archive, and what then leaves the ledger.

This is the one list. A new table with rows of alerts, or one that changes its shape, is entered here; a test compares
it with the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Leaves(Enum):
    """How the rows that leave a table are deleted: few at a time, in the order in which they lie."""

    NOT = "they stay: the accounting is read from them"
    BY_KEY = "along the primary key, whose second column is `key`"
    BY_PAGE = "page by page: no index leads from an alert to its rows"


@dataclass(frozen=True, slots=True)
class Table:
    """`key` orders the rows in the file ("" leaves them as they lie). `which`: of those that leave, only these (a
    condition)."""

    name: str
    key: str
    leaves: Leaves = Leaves.NOT
    which: str = "true"
    alert: str = "alert_id"


TABLES = (
    Table("alert", "id", alert="id"),
    Table("run", "alert_id"),
    Table("run_ordinal", "alert_id"),
    Table("message", "purpose, channel, language"),
    Table("chunk", "rank"),
    Table("unit", "id"),
    Table("unit_ask", "unit_id, person_id, duty_id"),
    Table("escalation_log", "id"),
    Table("response", "id"),
    Table("help_request", "id"),
    Table("duty_notice", "id"),
    Table("question", "ordinal"),
    Table("field_report", "id"),
    Table("field_photo", "id"),
    Table("field_picture", "photo_id", Leaves.BY_KEY),
    Table("door_visit", "id"),
    Table("door_task", "id"),
    Table("errand", "id"),
    Table("recall", "gateway_id"),
    Table("silent_terminal", "terminal_id"),
    Table("webhook", "id"),
    Table("rule_event", "id"),
    Table("incoming", "id"),
    Table("audit_entry", "seq"),
    Table("draft_form", "key"),
    Table("sighting", "account_id, version"),
    Table("target", "household_id", Leaves.BY_KEY, which="state = 1"),
    Table("entry", "", Leaves.BY_PAGE),
    Table("message_ref", "", Leaves.BY_PAGE),
    Table("delivery", "ordinal", Leaves.BY_KEY),
    Table("tally", "first", Leaves.BY_KEY),
    Table("batch", "first", Leaves.BY_KEY),
)
"""In the order in which they are written and emptied: batches last, for they lead to all else."""

OWN = frozenset({"archive", "archived_count", "archived_course"})
"""What the archive itself keeps of an alert."""

LEAVING = tuple(table for table in TABLES if table.leaves is not Leaves.NOT)
