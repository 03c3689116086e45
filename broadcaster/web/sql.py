"""The web's own statements (`reading.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.web", "reading.sql")
