"""The two fields of a new password, checked."""

from __future__ import annotations

from collections.abc import Mapping

from broadcaster.security.passwords import GREATEST_LENGTH, LEAST_LENGTH, verify_password
from broadcaster.security.records import AccountRecord
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.words import WORDS


async def new_password(account_id: int, given: Mapping[str, str], form: Form) -> str:
    """What was typed as `password` and again as `again`; what is wrong with it is put into `form`."""
    password = given.get("password", "")
    if not LEAST_LENGTH <= len(password) <= GREATEST_LENGTH:
        form.faults["password"] = WORDS["account_fault"]["password"]
    elif given.get("again", "") != password:
        form.faults["again"] = WORDS["account_fault"]["again"]
    else:
        account = await AccountRecord.get(id=account_id)
        if await verify_password(account.password_hash, password):
            form.faults["password"] = WORDS["account_fault"]["same"]
    return password
