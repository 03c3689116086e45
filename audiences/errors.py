"""What this floor refuses. It imports nothing from the core, so the edge maps these as it maps a bad input."""

from __future__ import annotations


class AudienceError(Exception):
    """What was given cannot be used, and nothing was changed: `what` happened, and the `remedy` for who reads it."""

    code = "bad-input"

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class FileError(AudienceError):
    """The file as a whole cannot be read: its form, its encoding, its size, or a missing column."""

    code = "bad-file"
