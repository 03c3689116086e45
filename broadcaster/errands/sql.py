"""The statements of this context (`errands.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.errands", "errands.sql")
