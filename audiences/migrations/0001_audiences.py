"""The tables of the ground floor, and the indexes (in the .sql beside this file) that carry its load."""

import functools
from json import dumps, loads
from pathlib import Path

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

INDEXES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    """Regions, households, people, contacts, terminals, duties."""

    initial = True

    operations = [
        ops.CreateModel(
            name="Contact",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("household_id", fields.BigIntField(null=True)),
                ("person_id", fields.BigIntField(null=True)),
                ("medium", fields.CharField(max_length=8)),
                ("address", fields.TextField(unique=False)),
                ("region_code", fields.CharField(db_default="", max_length=15)),
                ("priority", fields.SmallIntField(db_default=0)),
                ("active", fields.BooleanField(db_default=True)),
            ],
            options={
                "table": "contact",
                "app": "audiences",
                "pk_attr": "id",
                "table_description": "One address on one medium, of a household, of a person, or of a person in a household.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Duty",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("person_id", fields.BigIntField()),
                ("region_code", fields.CharField(max_length=15)),
                ("role", fields.CharField(max_length=16)),
                ("rank", fields.CharField(db_default="primary", max_length=8)),
                ("valid_from", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("valid_to", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("shift", fields.BooleanField(db_default=False)),
                ("stands_in_for", fields.BigIntField(null=True)),
            ],
            options={
                "table": "duty",
                "app": "audiences",
                "pk_attr": "id",
                "table_description": "Person × region × role × rank, from `valid_from` until before `valid_to` (open when null).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Household",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("external_id", fields.CharField(unique=True, max_length=64)),
                ("region_code", fields.CharField(max_length=15)),
                ("name", fields.CharField(db_default="", max_length=64)),
                ("address", fields.CharField(db_default="", max_length=200)),
                ("lon", fields.FloatField(null=True)),
                ("lat", fields.FloatField(null=True)),
                ("tags", ArrayField(db_default=[], element_type="TEXT")),
                ("risk", fields.SmallIntField(db_default=100)),
                ("size", fields.SmallIntField(db_default=0)),
                ("active", fields.BooleanField(db_default=True)),
            ],
            options={
                "table": "household",
                "app": "audiences",
                "pk_attr": "id",
                "table_description": "A home. `risk` runs from 0 (most vulnerable, told first) to 100; it follows from the tags unless it was given.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("external_id", fields.CharField(unique=True, max_length=140)),
                ("household_id", fields.BigIntField(null=True)),
                ("name", fields.CharField(max_length=64)),
                ("language", fields.CharField(db_default="zh-CN", max_length=8)),
            ],
            options={
                "table": "person",
                "app": "audiences",
                "pk_attr": "id",
                "table_description": "Somebody by name: a member of a household, or a duty holder (who need not live in a registered one).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Region",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=15)),
                ("name", fields.CharField(max_length=64)),
                ("level", fields.SmallIntField()),
                ("parent_code", fields.CharField(null=True, max_length=15)),
                ("lon", fields.FloatField(null=True)),
                ("lat", fields.FloatField(null=True)),
                (
                    "outline",
                    fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
            ],
            options={
                "table": "region",
                "app": "audiences",
                "pk_attr": "code",
                "table_description": "A county, town, village or grid. `outline` is a GeoJSON geometry (lon, lat), `lon`/`lat` its middle.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Terminal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("external_id", fields.CharField(unique=True, max_length=64)),
                ("name", fields.CharField(max_length=64)),
                ("region_code", fields.CharField(max_length=15)),
                ("lon", fields.FloatField(null=True)),
                ("lat", fields.FloatField(null=True)),
                ("kind", fields.CharField(db_default="loudspeaker", max_length=16)),
                ("address", fields.TextField(db_default="", unique=False)),
                ("active", fields.BooleanField(db_default=True)),
            ],
            options={
                "table": "terminal",
                "app": "audiences",
                "pk_attr": "id",
                "table_description": "A loudspeaker. `external_id` is its resource code (EBRID, 23 digits), `address` where its gateway finds it.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(INDEXES),
    ]
