"""What the console and the pages outside take back, keep and do beside a request."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0008_console.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0007_followers")]
    initial = False
    operations = [ops.RunSQL(SQL)]
