"""Regions as shapes on a map (GeoJSON, RFC 7946)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from audiences import region_tree
from audiences.records import Level
from broadcaster.security.permissions import Action, require_somewhere
from broadcaster.web.endpoint import Call, Nothing, Table

table = Table("regions")


class OutlineQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`level`: 1 county to 4 grid. `under`: only regions whose code begins so."""

    level: Annotated[int, msgspec.Meta(ge=1, le=4)] = 2
    under: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""


class Named(msgspec.Struct, frozen=True):
    """What a feature is."""

    code: str
    name: str


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A region: its outline, the point in its middle where no outline is known, null where neither is."""

    type: Literal["Feature"] = "Feature"
    id: str
    properties: Named
    geometry: dict[str, Any] | None


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """A GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


@table.endpoint(
    "GET",
    "/api/v1/regions/outlines",
    "The outlines of the regions of one level",
    query=OutlineQuery,
    answers=Features,
    action=Action.SEE,
    media="application/geo+json",
)
async def read_outlines(call: Call[Nothing, OutlineQuery]) -> Features:
    """Those within the regions that the caller may see."""
    scopes = require_somewhere(call.actor, Action.SEE)
    async with call.context.database.connection() as connection:
        found = await region_tree.outlines(connection, Level(call.query.level), scopes, call.query.under)
    return Features(features=[_feature(row) for row in found])


def _feature(row: dict[str, Any]) -> Feature:
    geometry: dict[str, Any] | None = None
    if row["outline"] is not None:
        geometry = msgspec.json.decode(row["outline"])
    elif row["lon"] is not None and row["lat"] is not None:
        geometry = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
    return Feature(id=row["code"], properties=Named(row["code"], row["name"]), geometry=geometry)
