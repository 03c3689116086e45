"""Independent parties of the tests: programs that nobody here wrote. Where one is missing, the test says its name."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = "DAOHU_PARTIES"
"""Set it to `required` where no test may be skipped for want of one."""


def root(whose: str) -> None:
    """Like `program`, for one that only root can start."""
    if os.geteuid() != 0:
        _missing(f"{whose} is started by root only")


def program(*names: str, package: str) -> str:
    """The path of the first of these programs that is there; without one the test is skipped, or fails where they are
    required."""
    for name in names:
        if found := shutil.which(name):
            return found
    return _missing(f"no {names[0]} here: apt-get install {package}")


def _missing(reason: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)
