"""The statements of the triggers."""

from broadcaster.sql import statements

SQL = statements("broadcaster.triggers", "triggers.sql")
