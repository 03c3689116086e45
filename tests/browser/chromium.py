"""The browser of the tests: the machine's own Chromium, from Debian's packages."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED = "DAOHU_BROWSER"
"""Set it to `required` where the tests must not pass without a browser."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """Its path; without one the test is skipped, or fails where a browser is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium here: apt-get install chromium fonts-noto-cjk"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
