"""Setting one home's contacts right by hand: a wrong number corrected, a dead one switched off, a new one added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audiences import phone
from audiences.importing import cells
from audiences.records import ContactMedium
from broadcaster.database import Connection, Database
from broadcaster.errors import InputError, NotFoundError
from broadcaster.phrase import joined, ours, phrase
from broadcaster.rosters.households import seen
from broadcaster.rosters.sql import SQL
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require

_READ = {
    ContactMedium.PHONE: cells.phones,
    ContactMedium.WECHAT: cells.wechats,
    ContactMedium.EMAIL: cells.emails,
}


def address_of(medium: ContactMedium, written: str) -> str:
    """The stored form of an address as somebody typed it; `InputError` says what is allowed."""
    values, errors = _READ[medium](written)
    if errors:
        raise InputError("%(allowed)s。", allowed=_in_words(errors[0]))
    if len(values) != 1:
        raise InputError("请填写一个号码或地址。" if not values else "一次只填一个号码或地址。")
    return values[0]


def _in_words(error: cells.CellError) -> str:
    """What is allowed in a cell of a roster; of a number also why it is none."""
    cause = error.__cause__
    if isinstance(cause, phone.PhoneError):
        return joined("；", (phrase(cause.template, **cause.values), phone.ALLOWED))
    return ours(error.allowed)


async def correct(
    database: Database, actor: Actor, household_id: int, contact_id: int, written: str, now: datetime
) -> None:
    """Give a contact the address that is right; where the home has that already, the wrong one is switched off."""
    async with database.transaction() as connection:
        contact = await _held(connection, actor, household_id, contact_id)
        address = address_of(ContactMedium(contact["medium"]), written)
        if address == contact["address"] and contact["active"]:
            return
        known = await connection.fetchval(SQL["contact_like"], household_id, contact["medium"], address)
        if known in (None, contact_id):
            await connection.execute(SQL["contact_readdress"], contact_id, address)
        else:
            await connection.execute(SQL["contact_switch"], known, True)
            await connection.execute(SQL["contact_switch"], contact_id, False)
        await _note(connection, actor, "contact.correct", household_id, contact_id, now)


async def switch(
    database: Database, actor: Actor, household_id: int, contact_id: int, now: datetime, *, active: bool
) -> None:
    """Switch a contact on or off; nothing goes to one that is off."""
    async with database.transaction() as connection:
        contact = await _held(connection, actor, household_id, contact_id)
        if contact["active"] is active:
            return
        await connection.execute(SQL["contact_switch"], contact_id, active)
        action = "contact.activate" if active else "contact.deactivate"
        await _note(connection, actor, action, household_id, contact_id, now)


async def add(
    database: Database, actor: Actor, household_id: int, medium: ContactMedium, written: str, now: datetime
) -> None:
    """A further contact, tried after those there are; one that is known already is switched on."""
    address = address_of(medium, written)
    async with database.transaction() as connection:
        household = await seen(connection, actor, household_id)
        require(actor, Action.CORRECT_CONTACTS, [household.region_code])
        contact_id = await connection.fetchval(SQL["contact_add"], household_id, medium.value, address)
        await _note(connection, actor, "contact.add", household_id, contact_id, now)


async def _held(connection: Connection, actor: Actor, household_id: int, contact_id: int) -> Mapping[str, Any]:
    """The contact, its home locked for the length of the change."""
    household = await seen(connection, actor, household_id)
    require(actor, Action.CORRECT_CONTACTS, [household.region_code])
    row = await connection.fetchrow(SQL["contact_to_change"], household_id, contact_id)
    if row is None or row["id"] is None:
        raise NotFoundError("这一户没有这个联系方式。", remedy="请刷新页面后重新选择。")
    found: Mapping[str, Any] = row
    return found


async def _note(
    connection: Connection, actor: Actor, action: str, household_id: int, contact_id: int, now: datetime
) -> None:
    await audit.append(
        connection, actor.account_id, action, now, subject=f"contact {contact_id}", detail={"household": household_id}
    )
