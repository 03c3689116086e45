"""The statements of this context (`rosters.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.rosters", "rosters.sql")
