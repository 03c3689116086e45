"""The two fields of a new password, checked."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from broadcaster.security.passwords import GREATEST_LENGTH, LEAST_LENGTH, verify_password
from broadcaster.security.records import AccountRecord
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.speaking import word


async def new_password(request: web.Request, account_id: int, given: Mapping[str, str], form: Form) -> str:
    """What was typed as `password` and again as `again`; what is wrong with it is put into `form`."""
    password = given.get("password", "")
    if not LEAST_LENGTH <= len(password) <= GREATEST_LENGTH:
        form.faults["password"] = word(request, "password", "account_fault")
    elif given.get("again", "") != password:
        form.faults["again"] = word(request, "again", "account_fault")
    else:
        account = await AccountRecord.get(id=account_id)
        if await verify_password(account.password_hash, password):
            form.faults["password"] = word(request, "same", "account_fault")
    return password
