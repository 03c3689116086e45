"""What the platform says: the bodies of GD/J 089's downlink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from broadcaster.ports import Notice
from channels.loudspeaker.terminal_tcp.dialect import Dialect, packed

UNCHANGED = 0xFF
"""Of the volume: leave it as it is set at the terminal."""

TEXT, SOUND = 1, 2
"""Kinds of auxiliary data."""

HTTP, MP3 = 4, 1
NO_PID, RESERVED = bytes(2), bytes(9)

TECHNICAL_DRILL, REAL_DRILL, EMERGENCY = 2, 3, 4
"""Classes of a message: 2 模拟演练, 3 实际演练, 4 应急 (1 is 发布演练, 5 日常)."""

LEVELS = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
EVENT_DIGITS, NO_EVENT = 5, "00000"
MOST_TEXT = 0x7FFF


@dataclass(frozen=True, slots=True)
class Play:
    """开播: the sound at `url`, from `begins` to `ends`; `level` 1 (red) to 4, `volume` in percent or `UNCHANGED`;
    `text` for terminals with a screen, "" for none."""

    message: str
    class_: int
    level: int
    event: str
    volume: int
    begins: datetime
    ends: datetime
    url: str
    text: str = ""

    def body(self, dialect: Dialect) -> bytes:
        """Its octets; whatever of the text the character set does not have is a question mark."""
        sound = bytes([HTTP, MP3]) + NO_PID + RESERVED + self.url.encode("ascii")
        extras = [(SOUND, sound)]
        if self.text:
            extras.append((TEXT, self.text.encode("gb2312", "replace")[:MOST_TEXT]))
        return b"".join(
            [
                packed(self.message),
                bytes([self.class_, self.level]),
                self.event.encode("ascii"),
                bytes([self.volume]),
                dialect.time(self.begins),
                dialect.time(self.ends),
                bytes([len(extras)]),
                *(bytes([kind]) + len(data).to_bytes(2) + data for kind, data in extras),
            ]
        )

    def moved(self, begins: datetime) -> Play:
        """The same, later."""
        return replace(self, begins=begins, ends=begins + (self.ends - self.begins))


def stop(message: str) -> bytes:
    """停播: the body that stops a message, playing or waiting."""
    return packed(message)


def class_of(notice: Notice | None) -> int:
    """The class that an alert's message has; a trial of the gateway is a technical drill."""
    if notice is None or notice.status == "Test":
        return TECHNICAL_DRILL
    return REAL_DRILL if notice.drill else EMERGENCY


def level_of(notice: Notice | None, urgency: int) -> int:
    """The level by the alert's colour, or by its urgency where it has none."""
    return LEVELS.get(notice.colour if notice is not None else "", urgency + 1)


def event_of(notice: Notice | None) -> str:
    """The event's five characters."""
    event = notice.event if notice is not None else ""
    return event if len(event) == EVENT_DIGITS and event.isascii() else NO_EVENT
