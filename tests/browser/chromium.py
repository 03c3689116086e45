"""The browser of the tests: the machine's own Chromium, from Debian's packages."""

from __future__ import annotations

from tests.harness.parties import program

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
    """Its path; see `program`."""
    return program("chromium", "chromium-browser", "google-chrome", package="chromium fonts-noto-cjk")
