"""Import of rosters: regions, households, duties, terminals; CSV, XLSX, and GeoJSON for regions."""

from audiences.importing.households import households
from audiences.importing.report import Changes, ImportReport, Progress, RowProblem

__all__ = ["Changes", "ImportReport", "Progress", "RowProblem", "households"]
