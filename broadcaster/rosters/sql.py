"""The statements of this context (`rosters.sql`, `followers.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.rosters", "rosters.sql")
FOLLOWERS = statements("broadcaster.rosters", "followers.sql")
