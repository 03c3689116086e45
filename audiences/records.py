"""The records of the ground floor: who lives where, how they are reached, and who answers for which region.

Cold reading and editing goes through these models; whatever carries load is SQL beside the use-case that needs it
(`selection.py`, `duties.py`, `importing/`, `generator/`). Region codes nest as text prefixes: county 6 digits, town 9,
village 12, grid 15. No foreign keys: rosters come and go in bulk, and the dispatch tables copy what they need.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Level(IntEnum):
    """How deep a region lies; `code_length` digits name it (GB/T 2260, the statistical code, and the grid number)."""

    COUNTY = 1
    TOWN = 2
    VILLAGE = 3
    GRID = 4

    @property
    def code_length(self) -> int:
        return 3 + 3 * self.value

    @classmethod
    def of(cls, code: str) -> Level:
        """The level whose codes are as long as `code`; ValueError when there is none."""
        depth, rest = divmod(len(code) - 3, 3)
        if rest:
            raise ValueError(f"no region level has codes of {len(code)} digits")
        return cls(depth)


class ContactMedium(StrEnum):
    """How an address is used; a phone serves both text messages and calls."""

    PHONE = "phone"
    WECHAT = "wechat"
    EMAIL = "email"


class Role(StrEnum):
    """What a duty holder answers for in a region."""

    VILLAGE_HEAD = "village_head"
    GRID_LEADER = "grid_leader"
    GRID_MEMBER = "grid_member"
    RESPONDER = "responder"
    TOWN_LEADER = "town_leader"
    DUTY_DESK = "duty_desk"


class Rank(StrEnum):
    """Who is asked first."""

    PRIMARY = "primary"
    DEPUTY = "deputy"


class Region(Model):
    """A county, town, village or grid. `outline` is a GeoJSON geometry (lon, lat), `lon`/`lat` its middle."""

    code = fields.CharField(max_length=15, primary_key=True)
    name = fields.CharField(max_length=64)
    level = fields.SmallIntField()
    parent_code = fields.CharField(max_length=15, null=True)
    lon = fields.FloatField(null=True)
    lat = fields.FloatField(null=True)
    outline = fields.JSONField[dict[str, object]](null=True)

    class Meta:
        table = "region"


class Household(Model):
    """A home. `risk` runs from 0 (most vulnerable, told first) to 100; it follows from the tags unless it was given.

    `size` is how many people live there, 0 when nobody has said.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    external_id = fields.CharField(max_length=64, unique=True)
    region_code = fields.CharField(max_length=15)
    name = fields.CharField(max_length=64, db_default="")
    address = fields.CharField(max_length=200, db_default="")
    lon = fields.FloatField(null=True)
    lat = fields.FloatField(null=True)
    tags = ArrayField(element_type="text", db_default=[])
    risk = fields.SmallIntField(db_default=100)
    size = fields.SmallIntField(db_default=0)
    active = fields.BooleanField(db_default=True)

    class Meta:
        table = "household"


class Person(Model):
    """Somebody by name: a member of a household, or a duty holder (who need not live in a registered one)."""

    id = fields.BigIntField(primary_key=True, generated=True)
    external_id = fields.CharField(max_length=140, unique=True)
    household_id = fields.BigIntField(null=True)
    name = fields.CharField(max_length=64)
    language = fields.CharField(max_length=8, db_default="zh-CN")

    class Meta:
        table = "person"


class Contact(Model):
    """One address on one medium, of a household, of a person, or of a person in a household.

    `region_code` is the household's, copied; "" for a duty holder's own contact. `priority` 0 is tried first.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    household_id = fields.BigIntField(null=True)
    person_id = fields.BigIntField(null=True)
    medium = fields.CharField(max_length=8)
    address = fields.TextField()
    region_code = fields.CharField(max_length=15, db_default="")
    priority = fields.SmallIntField(db_default=0)
    active = fields.BooleanField(db_default=True)

    class Meta:
        table = "contact"


class Terminal(Model):
    """A loudspeaker. `external_id` is its resource code (EBRID, 23 digits), `address` where its gateway finds it."""

    id = fields.BigIntField(primary_key=True, generated=True)
    external_id = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=64)
    region_code = fields.CharField(max_length=15)
    lon = fields.FloatField(null=True)
    lat = fields.FloatField(null=True)
    kind = fields.CharField(max_length=16, db_default="loudspeaker")
    address = fields.TextField(db_default="")
    active = fields.BooleanField(db_default=True)

    class Meta:
        table = "terminal"


class Duty(Model):
    """Person × region × role × rank, from `valid_from` until before `valid_to` (open when null).

    A `shift` is a time on duty that was arranged by hand; `stands_in_for` is the duty of whom it covers, if anybody's.
    What a roster says of a person, a region and a role is the one row that is no shift.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    person_id = fields.BigIntField()
    region_code = fields.CharField(max_length=15)
    role = fields.CharField(max_length=16)
    rank = fields.CharField(max_length=8, db_default="primary")
    valid_from = fields.DatetimeField()
    valid_to = fields.DatetimeField(null=True)
    shift = fields.BooleanField(db_default=False)
    stands_in_for = fields.BigIntField(null=True)

    class Meta:
        table = "duty"
