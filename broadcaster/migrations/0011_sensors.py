"""Stations, what they measure, and the rules that watch it."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0011_sensors.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0010_intake")]
    initial = False
    operations = [ops.RunSQL(SQL)]
