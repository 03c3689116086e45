"""Units, what people answered, cries for help, and what escalation did."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0003_responses.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0002_dispatch")]
    initial = False
    operations = [ops.RunSQL(SQL)]
