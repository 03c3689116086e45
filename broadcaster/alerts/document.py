"""The stored form of an alert: plain JSON that reads back to the very same value."""

from __future__ import annotations

from typing import Any

import msgspec

from broadcaster.alerts.alert import Alert
from broadcaster.errors import InputError


def to_document(alert: Alert) -> dict[str, Any]:
    """Every field, as JSON has it: enumerations as their words, times in RFC 3339, tuples as lists."""
    document: dict[str, Any] = msgspec.to_builtins(alert)
    return document


def from_document(document: dict[str, Any]) -> Alert:
    """The alert that `to_document` wrote; `InputError` for anything else."""
    try:
        return msgspec.convert(document, Alert)
    except msgspec.ValidationError as error:
        raise InputError(
            "存储的预警无法读出：%(error)s。", remedy="数据可能已损坏，请运行 daohu doctor。", error=error
        ) from error
