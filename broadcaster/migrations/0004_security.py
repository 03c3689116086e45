"""Accounts, grants and credentials; the audit chain; sign-in counters; answers kept for repeated requests."""

from importlib.resources import files

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "0003_responses")]

    operations = [
        ops.CreateModel(
            name="AccountRecord",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=64)),
                ("password_hash", fields.CharField(max_length=255)),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("password_given", fields.BooleanField(default=False)),
                ("factor_seed", fields.CharField(default="", max_length=32)),
                ("factor_on", fields.BooleanField(default=False)),
                ("factor_step", fields.BigIntField(default=0)),
            ],
            options={
                "table": "account",
                "app": "broadcaster",
                "pk_attr": "id",
                "table_description": 'Somebody who may sign in. `password_hash` is Argon2id\'s encoded form, "" when only tokens are used.',
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CredentialRecord",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "broadcaster.AccountRecord",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="credentials",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("kind", fields.CharField(max_length=8)),
                ("label", fields.CharField(max_length=64)),
                ("selector", fields.CharField(unique=True, max_length=16)),
                ("digest", fields.CharField(max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("strong", fields.BooleanField(default=False)),
            ],
            options={
                "table": "credential",
                "app": "broadcaster",
                "pk_attr": "id",
                "table_description": "A bearer token or a browser session: found by `selector`, proved by the SHA-256 of its secret.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="GrantRecord",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "broadcaster.AccountRecord",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="grants",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("role", fields.CharField(max_length=16)),
                ("region_code", fields.CharField(max_length=15)),
            ],
            options={
                "table": "account_grant",
                "app": "broadcaster",
                "unique_together": (("account", "role", "region_code"),),
                "pk_attr": "id",
                "table_description": "One role of an account inside one region.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(files("broadcaster.migrations").joinpath("0004_security.sql").read_text(encoding="utf-8")),
    ]
