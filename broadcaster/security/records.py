"""The records of accounts, what they were granted, and the credentials they hold."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class AccountRecord(Model):
    """Somebody who may sign in. `password_hash` is Argon2id's encoded form, "" when only tokens are used.

    `password_given`: somebody else knows the password, so the owner has to choose another. `factor_seed`: what the
    second factor's secret is derived from, "" before it was shown; `factor_step`: the time step of the last code taken.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=64, unique=True)
    password_hash = fields.CharField(max_length=255)
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()
    password_given = fields.BooleanField(default=False)
    factor_seed = fields.CharField(max_length=32, default="")
    factor_on = fields.BooleanField(default=False)
    factor_step = fields.BigIntField(default=0)

    class Meta:
        table = "account"


class GrantRecord(Model):
    """One role of an account inside one region."""

    id = fields.IntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRecord] = fields.ForeignKeyField(
        "broadcaster.AccountRecord", related_name="grants", on_delete=fields.CASCADE
    )
    role = fields.CharField(max_length=16)
    region_code = fields.CharField(max_length=15)

    class Meta:
        table = "account_grant"
        unique_together = (("account", "role", "region_code"),)


class CredentialRecord(Model):
    """A bearer token or a browser session: found by `selector`, proved by the SHA-256 of its secret.

    `strong`: a second factor was shown. `used_at` is exact to a minute.
    """

    id = fields.IntField(primary_key=True)
    account: fields.ForeignKeyRelation[AccountRecord] = fields.ForeignKeyField(
        "broadcaster.AccountRecord", related_name="credentials", on_delete=fields.CASCADE
    )
    kind = fields.CharField(max_length=8)
    label = fields.CharField(max_length=64)
    selector = fields.CharField(max_length=16, unique=True)
    digest = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    used_at = fields.DatetimeField(null=True)
    strong = fields.BooleanField(default=False)

    class Meta:
        table = "credential"
