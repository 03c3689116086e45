"""Handlers that take as long as the person at the other end needs: uploads. They see to silence themselves."""

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
