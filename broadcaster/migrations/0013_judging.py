"""Of many workers one judges a message that another machine tells us."""

from __future__ import annotations

from importlib.resources import files

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = files("broadcaster.migrations").joinpath("0013_judging.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0012_relaying")]
    initial = False
    operations = [ops.RunSQL(SQL)]
