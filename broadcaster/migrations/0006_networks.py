"""Which carrier a text message is for."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0006_networks.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0005_operations")]
    initial = False
    operations = [ops.RunSQL(SQL)]
