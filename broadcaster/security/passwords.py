"""Password hashes: Argon2id, computed off the event loop, a bounded number at a time."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from broadcaster.errors import InputError

LEAST_LENGTH = 10
GREATEST_LENGTH = 200  # characters; a longer one only costs us time

COST = profiles.RFC_9106_LOW_MEMORY
"""RFC 9106 (section 4), second recommendation: 64 MiB, 3 passes, 4 lanes."""

_hasher = PasswordHasher.from_parameters(COST)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")  # two at a time: 128 MiB at most


def _of_nobody() -> str:
    """A hash that no password is known for, at the usual price of verifying, without the price of making one: every
    process that starts would pay it, with 64 MiB."""
    salt, digest = (
        b64encode(secrets.token_bytes(octets)).decode().rstrip("=") for octets in (COST.salt_len, COST.hash_len)
    )
    price = f"m={COST.memory_cost},t={COST.time_cost},p={COST.parallelism}"
    return f"$argon2id$v={COST.version}${price}${salt}${digest}"


NOBODY = _of_nobody()


def invent() -> str:
    """A new password to print once: 20 characters, over 100 bits."""
    return secrets.token_urlsafe(15)


async def hash_password(password: str) -> str:
    """The encoded Argon2id hash; `InputError` when the password is too short or too long."""
    if not LEAST_LENGTH <= len(password) <= GREATEST_LENGTH:
        raise InputError(
            "密码应为 %(least)s 到 %(most)s 个字符，现为 %(length)s 个。",
            remedy="请换一个；一句短话最好记。",
            least=LEAST_LENGTH,
            most=GREATEST_LENGTH,
            length=len(password),
        )
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(encoded: str, password: str) -> bool:
    """Whether `password` made `encoded`; takes as long for an unknown account (`encoded` "") as for a known one."""
    if len(password) > GREATEST_LENGTH:
        return False
    matches = await asyncio.get_running_loop().run_in_executor(_threads, _matches, encoded or NOBODY, password)
    return matches and encoded != ""


def _matches(encoded: str, password: str) -> bool:
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False
