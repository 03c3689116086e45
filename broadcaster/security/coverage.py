"""Which regions an alert covers, for asking who may touch it: its codes, and the villages under its shapes."""

from __future__ import annotations

from audiences.selection import Selection, villages
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection


async def coverage(connection: Connection, alert: Alert, district: str) -> tuple[str, ...]:
    """Region codes, never none: without any area of its own an alert covers what it refers to, else the district.

    A shape that touches one household of a village covers that village; a province's code means our whole district.
    """
    codes = {district if district.startswith(code) else code for code in areas.regions(alert)}
    rings, circles = areas.polygons(alert), areas.circles(alert)
    if rings or circles:
        shapes = Selection(polygons=rings, circles=tuple((circle.lon, circle.lat, circle.km) for circle in circles))
        codes |= {village for village, _ in await villages(connection, shapes)}
    if not codes:
        names = [reference.identifier for reference in alert.references]
        for record in await AlertRecord.filter(identifier__in=names, sent_at__lt=alert.sent):
            codes |= set(await coverage(connection, record.alert, district))
    return tuple(areas.outermost(codes)) or (district,)
