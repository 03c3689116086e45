"""Handlers that take as long as they need: uploads, which see to silence themselves, and the one transaction that
issues or ends an alert, which is never cut off by us: a million deliveries of the alert before may go with it."""

from __future__ import annotations

from typing import TypeVar

_HANDLERS: set[object] = set()
Handler = TypeVar("Handler")


def unhurried(handler: Handler) -> Handler:
    """Marks a handler; the time limit of requests is not for it."""
    _HANDLERS.add(handler)
    return handler


def is_unhurried(handler: object) -> bool:
    """Whether it was marked."""
    return handler in _HANDLERS
