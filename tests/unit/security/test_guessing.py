"""How long a guesser waits, and what passwords are accepted."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from broadcaster.errors import InputError
from broadcaster.security.attempts import ACCOUNT, PAIR
from broadcaster.security.credentials import form_token
from broadcaster.security.passwords import NOBODY, hash_password, invent, verify_password


def test_waits_double_from_the_fifth_failure_and_stop_growing_at_a_quarter_of_an_hour() -> None:
    assert [PAIR.wait(failures) for failures in (1, 4, 5, 6, 7, 100)] == [0, 0, 15, 30, 60, 900]


def test_a_stranger_cannot_keep_an_account_closed_for_more_than_a_minute() -> None:
    assert ACCOUNT.wait(10_000) == 60


@pytest.mark.usefixtures("costly_passwords")
async def test_a_password_verifies_only_itself_at_the_price_of_rfc_9106() -> None:
    encoded = await hash_password("台风来了快转移到高处去")
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await verify_password(encoded, "台风来了快转移到高处去")
    assert not await verify_password(encoded, "台风来了快转移到高处去。")
    assert not await verify_password("", "台风来了快转移到高处去")
    assert not await verify_password("not a hash at all", "台风来了快转移到高处去")
    assert not await verify_password(encoded, "x" * 100_000)


@pytest.mark.usefixtures("costly_passwords")
async def test_an_unknown_name_is_verified_at_the_price_of_a_known_one() -> None:
    known, unknown = (extract_parameters(one) for one in (await hash_password("台风来了快转移到高处去"), NOBODY))
    assert unknown == known
    with pytest.raises(VerifyMismatchError):  # it was really computed, and not refused for its form
        PasswordHasher().verify(NOBODY, "台风来了快转移到高处去")


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
async def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="10 到 200"):
        await hash_password(password)


def test_invented_passwords_are_long_and_differ() -> None:
    assert len({invent() for _ in range(50)}) == 50
    assert all(len(invent()) == 20 for _ in range(5))


def test_the_form_token_depends_on_the_session() -> None:
    assert form_token("dh_a") != form_token("dh_b")
