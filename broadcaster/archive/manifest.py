"""The manifest of an archived alert: its files, how many rows each has, and what proves that it is whole."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec

FORMAT = 1
NAME = "manifest.json"


class File(msgspec.Struct, frozen=True):
    """One table's rows: CSV as PostgreSQL writes it (with a header), packed by gzip. `sha256` is of the packed file."""

    name: str
    table: str
    rows: int
    bytes: int
    sha256: str


class Counts(msgspec.Struct, frozen=True):
    """Deliveries of one channel by state, and how many were taken twice."""

    channel: str
    queued: int
    unknown: int
    expired: int
    cancelled: int
    submitted: int
    failed: int
    delivered: int
    duplicates: int

    @property
    def deliveries(self) -> int:
        states = (self.queued, self.unknown, self.expired, self.cancelled, self.submitted, self.failed, self.delivered)
        return sum(states)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """No personal data. `schema` is the version that the files' columns are of."""

    format: int = FORMAT
    alert_id: int
    identifier: str
    schema: int
    written_at: datetime
    counts: tuple[Counts, ...]
    files: tuple[File, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)

    @property
    def balanced(self) -> bool:
        """Whether there are as many deliveries as were counted."""
        written = sum(file.rows for file in self.files if file.table == "delivery")
        return written == sum(one.deliveries for one in self.counts)

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def faults(folder: Path, expected: str) -> list[str]:
    """What is wrong with an archived alert's folder, whose manifest's digest was `expected`; reads every file."""
    try:
        content = (folder / NAME).read_bytes()
    except OSError as error:
        return [f"{NAME}: {error.strerror}"]
    if digest(content) != expected:
        return [f"{NAME}: changed"]
    manifest = msgspec.json.decode(content, type=Manifest)
    return [fault for file in manifest.files if (fault := _fault(folder, file))]


def _fault(folder: Path, file: File) -> str:
    try:
        with (folder / file.name).open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        return f"{file.name}: {error.strerror}"
    return "" if found == file.sha256 else f"{file.name}: changed"
