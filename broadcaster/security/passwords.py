"""Password hashes: Argon2id, computed off the event loop, a bounded number at a time."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from broadcaster.errors import InputError

LEAST_LENGTH = 10
GREATEST_LENGTH = 200  # characters; a longer one only costs us time

_hasher = PasswordHasher()  # RFC 9106, second recommendation: 64 MiB, 3 passes, 4 lanes
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")  # two at a time: 128 MiB at most
_nobody = _hasher.hash(secrets.token_hex())


def invent() -> str:
    """A new password to print once: 20 characters, over 100 bits."""
    return secrets.token_urlsafe(15)


async def hash_password(password: str) -> str:
    """The encoded Argon2id hash; `InputError` when the password is too short or too long."""
    if not LEAST_LENGTH <= len(password) <= GREATEST_LENGTH:
        raise InputError(
            f"密码应为 {LEAST_LENGTH} 到 {GREATEST_LENGTH} 个字符，现为 {len(password)} 个。",
            remedy="请换一个；一句短话最好记。",
        )
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(encoded: str, password: str) -> bool:
    """Whether `password` made `encoded`; takes as long for an unknown account (`encoded` "") as for a known one."""
    if len(password) > GREATEST_LENGTH:
        return False
    matches = await asyncio.get_running_loop().run_in_executor(_threads, _matches, encoded or _nobody, password)
    return matches and encoded != ""


def _matches(encoded: str, password: str) -> bool:
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False
