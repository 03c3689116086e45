"""Who follows an official account, and how it was proved to whose home that belongs."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0007_followers.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0006_networks")]
    initial = False
    operations = [ops.RunSQL(SQL)]
