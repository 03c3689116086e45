"""The three things that a county sends: a warning, an order to its people on duty, and the word that it is over."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """预警, 动员令, 解除."""

    WARNING = "warning"
    MOBILIZATION = "mobilization"
    ALL_CLEAR = "all_clear"

    @property
    def chinese(self) -> str:
        """The word used in headlines and on pages."""
        return {Kind.WARNING: "预警", Kind.MOBILIZATION: "动员令", Kind.ALL_CLEAR: "解除"}[self]
