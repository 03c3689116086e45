"""Which system account the servers run as. PostgreSQL refuses to run as root, so root hands it to another account."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from broadcaster.errors import UnavailableError

ACCOUNTS = ("daohu", "pgserver")
"""Looked for in this order; the last one is created when there is none."""

# linux/prctl.h, linux/securebits.h, linux/capability.h
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True, slots=True)
class Account:
    """A system account by its numbers. `borrowed` means: we are root and hand the servers to this account."""

    user: int
    group: int
    borrowed: bool


def server_account(postgres_folder: Path) -> Account:
    """The account for the servers: our own; for root the one that owns the data already, or a system account."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), borrowed=False)
    if postgres_folder.exists() and (owner := postgres_folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, borrowed=True)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, borrowed=True)
    return _created(ACCOUNTS[-1])


def _created(name: str) -> Account:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode in {0, 9}:  # 9: somebody else created it meanwhile
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, borrowed=True)
    raise UnavailableError(
        "PostgreSQL 不能以 root 身份运行，也无法为它建立系统用户。",
        remedy=f"请先建立系统用户 {name}(useradd --system {name})，或改用普通用户运行 daohu。",
    )


def become(account: Account) -> None:
    """Turn this process, a fresh child before `exec`, into `account`.

    Root's folders are often closed to other accounts (/root, mode 0700), and both the programs and the data may lie
    there. Opening those folders to everyone would be wrong, so the child keeps one right of root: to pass permission
    checks on files (CAP_DAC_OVERRIDE). Where the system does not grant that (a stripped container), it does without.

    The securebit is for access(2), by which PostgreSQL's programs look for each other: without it the kernel answers
    that question as if the account had no such right.
    """
    if not account.borrowed:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.group)
    os.setuid(account.user)
    if _keep_only(libc, 1 << _CAP_DAC_OVERRIDE):
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
    elif not _keep_only(libc, 0):
        raise OSError("the rights of root cannot be given up")


def _keep_only(libc: ctypes.CDLL, capabilities: int) -> bool:
    """Give up every capability but `capabilities` (a mask of the first 32); False when they are not ours to keep."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low = (capabilities,) * 3  # effective, permitted, inheritable; then the high words
    return bool(libc.capset(header, (ctypes.c_uint32 * 6)(*low, 0, 0, 0)) == 0)
