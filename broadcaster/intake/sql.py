"""The statements of this context (`intake.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.intake", "intake.sql")
