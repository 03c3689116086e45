"""Which regions an alert covers, for asking who may touch it: its codes, and the villages under its shapes."""

from __future__ import annotations

import msgspec

from audiences.selection import Selection, villages
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, MsgType
from broadcaster.alerts.document import from_document
from broadcaster.database import Connection


async def coverage(
    connection: Connection, alert: Alert, district: str, *, above: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Region codes, never none: the alert's own area, and that of whatever it replaces; else the district.

    An Update or Cancel ends what it refers to everywhere, whatever area it names itself. A shape that touches one
    household of a village covers that village; a province's code means our whole district. `above` are the identifiers
    that led here, so that references in a ring come to an end.
    """
    codes = {district if district.startswith(code) else code for code in areas.regions(alert)}
    rings, circles = areas.polygons(alert), areas.circles(alert)
    if rings or circles:
        shapes = Selection(polygons=rings, circles=tuple((circle.lon, circle.lat, circle.km) for circle in circles))
        codes |= {village for village, _ in await villages(connection, shapes)}
    if not codes or alert.msg_type in (MsgType.UPDATE, MsgType.CANCEL):
        above |= {alert.identifier}
        names = [reference.identifier for reference in alert.references if reference.identifier not in above]
        # not by AlertRecord: it would ask for the connection that the caller is holding
        for row in await connection.fetch("SELECT document FROM alert WHERE identifier = ANY($1::text[])", names):
            replaced = from_document(msgspec.json.decode(row["document"]))
            codes |= set(await coverage(connection, replaced, district, above=above))
    return tuple(areas.outermost(codes)) or (district,)
