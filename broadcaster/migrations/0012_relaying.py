"""Subscribers besides webhooks, and what becomes by itself of what other machines tell us."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0012_relaying.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0011_sensors")]
    initial = False
    operations = [ops.RunSQL(SQL)]
