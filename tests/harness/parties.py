"""Independent parties of the tests: programs that nobody here wrote. Where one is missing, the test says its name."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED = "DAOHU_PARTIES"
"""Set it to `required` where no test may be skipped for want of one."""


def program(*names: str, package: str) -> str:
    """The path of the first of these programs that is there; without one the test is skipped, or fails where they are
    required."""
    for name in names:
        if found := shutil.which(name):
            return found
    reason = f"no {names[0]} here: apt-get install {package}"
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)
