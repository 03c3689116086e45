"""The alerts' records, and the indexes (in the .sql beside this file) that keep their promises."""

import functools
from json import dumps, loads
from pathlib import Path

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

INDEXES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    """Alerts."""

    initial = True

    operations = [
        ops.CreateModel(
            name="AlertRecord",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("identifier", fields.TextField(unique=False)),
                ("sender", fields.TextField(unique=False)),
                ("lineage", fields.TextField(unique=False)),
                ("predecessor_id", fields.IntField(null=True)),
                ("state", fields.CharField(max_length=16)),
                ("kind", fields.CharField(max_length=16)),
                ("status", fields.CharField(max_length=16)),
                ("msg_type", fields.CharField(max_length=16)),
                ("hazard", fields.CharField(max_length=32)),
                ("colour", fields.CharField(null=True, max_length=8)),
                ("headline", fields.TextField(unique=False)),
                ("reply_code", fields.CharField(null=True, max_length=4)),
                ("document", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                (
                    "policy",
                    fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("created_by", fields.TextField(unique=False)),
                ("approved_by", fields.TextField(null=True, unique=False)),
                ("rejection", fields.TextField(null=True, unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("sent_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("issued_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("effective_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("superseded_by", fields.TextField(null=True, unique=False)),
                ("version", fields.IntField()),
            ],
            options={
                "table": "alert",
                "app": "broadcaster",
                "pk_attr": "id",
                "table_description": "One alert from draft to end.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(INDEXES),
    ]
