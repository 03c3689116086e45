"""What sounds can be stopped, and is missed where it does not sound."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0009_sound.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0008_console")]
    initial = False
    operations = [ops.RunSQL(SQL)]
