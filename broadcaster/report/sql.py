"""The statements of the report (`report.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.report", "report.sql")
