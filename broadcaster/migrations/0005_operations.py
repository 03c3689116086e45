"""Who is at work with which version, what the office has decided, how gateways are tried, what has been archived."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0005_operations.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0004_security")]
    initial = False
    operations = [ops.RunSQL(SQL)]
