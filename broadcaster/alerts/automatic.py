"""What may become of a danger by itself, before an officer has looked: of readings by rules, of messages by sources."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from broadcaster.alerts.colour import Colour


class Deed(StrEnum):
    """Tell the duty officer; write a draft; write one that goes out after a while unless somebody vetoes it; send it
    out at once."""

    NOTIFY = "notify"
    DRAFT = "draft"
    HOLD = "hold"
    ISSUE = "issue"

    @property
    def goes_out(self) -> bool:
        """Whether something goes out in which no officer has had a hand."""
        return self in (Deed.HOLD, Deed.ISSUE)


def usual_hold(colour: Colour | None) -> timedelta:
    """How long an officer has for a veto where nothing else is said; a red alert waits less."""
    return timedelta(minutes=3 if colour is Colour.RED else 10)
