"""What the intake needs of a worker: sources are visited, what they tell is judged, those who ask are answered, and
platforms above learn how their orders stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.intake import visiting
from broadcaster.intake.answering import Answering
from broadcaster.intake.settling import Intake
from broadcaster.intake.standing import Standings
from broadcaster.ports import OrderStanding
from broadcaster.share import Share, Work
from broadcaster.sources import Behind, Source, SourceSettings


@dataclass(frozen=True, slots=True)
class Sources:
    """Who is `configured`, with the `opened` source of each. `answering` is None where nothing writes CAP or posts;
    `telling` gives what tells the platform above a gateway, by the gateway's name, how an order stands."""

    configured: Sequence[SourceSettings]
    opened: Mapping[str, Source]
    answering: Answering | None
    telling: Callable[[str], Callable[[OrderStanding], Awaitable[None]]]


async def share(database: Database, clock: Clock, sources: Sources, intake: Intake, owner: str) -> Share:
    """Judges by `intake`, and has a task for each source: one that is slow holds up no other."""
    tended: dict[str, Work] = {}
    for settings in sources.configured:
        await visiting.appear(database, clock, settings)
        name, source = settings.name, sources.opened[settings.name]
        tended[f"source-{name}"] = partial(visiting.visit, database, clock, settings, source, owner)
        if settings.answer_to and sources.answering is not None:
            tended[f"answers-{name}"] = partial(sources.answering.answer, settings)
        if isinstance(source, Behind):
            tended[f"standings-{name}"] = Standings(database, clock, name, sources.telling(source.gateway)).look
    return Share(chores=(intake.settle,), tended=tended)
