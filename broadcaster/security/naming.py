"""Regions by their names, where a refusal would have only their codes."""

from __future__ import annotations

from collections.abc import Iterable

from audiences import region_tree
from broadcaster.database import Connection
from broadcaster.errors import OutsideError
from broadcaster.security.permissions import Action, Actor, require


async def names_of(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """By code what a region is called; a village with its town, a grid with its village, whose names alone are many."""
    found = await region_tree.named(connection, codes)
    return {place.code: f"{place.inside if len(place.code) > 9 else ''}{place.name}" for place in found if place.name}


async def require_named(connection: Connection, actor: Actor, action: Action, regions: Iterable[str]) -> None:
    """As `require`; the refusal says the regions' names."""
    try:
        require(actor, action, regions)
    except OutsideError as error:
        error.named(await names_of(connection, error.regions))
        raise
