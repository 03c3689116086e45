"""Import of rosters: regions, households, duties, terminals; CSV, XLSX, and GeoJSON for regions."""

from audiences.importing.duties import duties
from audiences.importing.households import households
from audiences.importing.regions import regions
from audiences.importing.report import Changes, ImportReport, PlaceChanges, Progress, RowProblem
from audiences.importing.terminals import terminals

__all__ = [
    "Changes",
    "ImportReport",
    "PlaceChanges",
    "Progress",
    "RowProblem",
    "duties",
    "households",
    "regions",
    "terminals",
]
