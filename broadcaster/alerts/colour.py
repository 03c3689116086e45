"""The four colours of China's warning signals and the CAP severity that each stands for."""

from __future__ import annotations

from enum import StrEnum

from broadcaster.alerts.vocabulary import Severity


class Colour(StrEnum):
    """红 I 级, 橙 II 级, 黄 III 级, 蓝 IV 级; the order of definition is the order of urgency."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @property
    def urgency(self) -> int:
        """0 for red, the most urgent, to 3 for blue: smaller goes out first."""
        return _ORDER[self]

    @property
    def severity(self) -> Severity:
        """CAP's word for the colour."""
        return _SEVERITIES[self]

    @property
    def chinese(self) -> str:
        """红, 橙, 黄 or 蓝: what stands before 色预警."""
        return _CHINESE[self]

    @classmethod
    def of_severity(cls, severity: Severity) -> Colour | None:
        """The colour of a CAP severity; None for Unknown."""
        return next((colour for colour, word in _SEVERITIES.items() if word is severity), None)


_ORDER = {colour: place for place, colour in enumerate(Colour)}
_SEVERITIES = dict(zip(Colour, (Severity.EXTREME, Severity.SEVERE, Severity.MODERATE, Severity.MINOR), strict=True))
_CHINESE = dict(zip(Colour, "红橙黄蓝", strict=True))
