"""The statements of this context (`webhooks.sql`)."""

from broadcaster.sql import statements

SQL = statements("broadcaster.webhooks", "webhooks.sql")
