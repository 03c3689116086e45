"""What other machines tell us, and how each source fares."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0010_intake.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0009_sound")]
    initial = False
    operations = [ops.RunSQL(SQL)]
