"""The weather office: which warning it has out at which hour of the storm, by what has fallen and is about to.

The amounts are those of China's rainstorm signals (气象灾害预警信号发布与传播办法, 2007, annex): 50 mm in 12, 6 and 3
hours for blue, yellow and orange, 100 mm in 3 hours for red, "reached or to be expected". This office looks ahead the
further the less it says.
"""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.alerts.alert import Colour, MsgType
from broadcaster.rehearsal.storm.storm import HOURS, Storm

_MINUTES = 5
_AGAIN = 10.0
"""Millimetres in the three hours to come: with less than that in sight it is called off."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Which amount makes a colour: `most` millimetres in `within` hours, up to `ahead` hours from now."""

    colour: Colour
    most: float
    within: float
    ahead: float


SIGNALS = (
    Signal(Colour.RED, 100.0, 3.0, 0.25),
    Signal(Colour.ORANGE, 50.0, 3.0, 0.75),
    Signal(Colour.YELLOW, 50.0, 6.0, 1.5),
    Signal(Colour.BLUE, 50.0, 12.0, 2.5),
)
"""The most urgent first."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What the office says at `hour`: `number` of its storm, from 1. A Cancel has the colour that it calls off."""

    number: int
    hour: float
    msg_type: MsgType
    colour: Colour
    text: str


def bulletins(storm: Storm) -> tuple[Bulletin, ...]:
    """All that the office says about a storm, one lineage: ever more urgent, and once it is over a Cancel."""
    said: list[Bulletin] = []
    for place in range(round(HOURS * 60 / _MINUTES) + 1):
        hour = place * _MINUTES / 60
        signal = next((one for one in SIGNALS if _holds(one, storm, hour)), None)
        worst = said[-1].colour if said else None
        if signal is not None and (worst is None or signal.colour.urgency < worst.urgency):
            kind = MsgType.UPDATE if said else MsgType.ALERT
            said.append(Bulletin(len(said) + 1, hour, kind, signal.colour, _words(signal)))
        elif worst is not None and _passing(storm, hour):
            text = "受台风影响的强降雨已经结束。"
            return (*said, Bulletin(len(said) + 1, hour, MsgType.CANCEL, worst, text))
    return tuple(said)


def _holds(signal: Signal, storm: Storm, hour: float) -> bool:
    return storm.most_in(signal.within, hour + signal.ahead) >= signal.most


def _passing(storm: Storm, hour: float) -> bool:
    """Whether the rain is behind: little in the last hour, and less to come."""
    return hour > storm.field.core and storm.most_in(1.0, hour) + storm.most_in(3.0, hour + 3.0) < _AGAIN


def _words(signal: Signal) -> str:
    return (
        f"受台风影响，预计{signal.within:.0f}小时内鄞州区部分地区降雨量将达{signal.most:.0f}毫米以上，"
        "或者已达并可能持续，请注意防范。"
    )
