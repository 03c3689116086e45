"""Writing an alert's rows into files: each table by COPY, packed, and on the disk before anything is believed."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from broadcaster.archive.manifest import NAME, Counts, File, Manifest
from broadcaster.archive.standing import SQL
from broadcaster.archive.tables import TABLES, Table
from broadcaster.database import Connection, Database
from broadcaster.schema import VERSION

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""They hold addresses, and what people wrote."""


class PackedFile:
    """A gzip file that counts and digests what is written; `write` takes what COPY gives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")
        self._packed = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=6, mtime=0)

    async def write(self, piece: bytes) -> None:
        self._packed.write(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._packed.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()


async def write(database: Database, alert_id: int, folder: Path, now: datetime) -> Manifest:
    """Write everything of an alert into `folder`, which is made anew. OSError when the disk is full or refuses."""
    _make_anew(folder)
    async with database.connection() as connection:
        rows = await connection.fetch(SQL["counts"], alert_id)
        identifier = await connection.fetchval("SELECT identifier FROM alert WHERE id = $1", alert_id)
    counts = tuple(Counts(**dict(row)) for row in rows)
    files = []
    for table in TABLES:
        async with database.connection() as connection:  # each by itself: no snapshot that keeps vacuum waiting
            files.append(await _table(connection, table, alert_id, folder))
    manifest = Manifest(
        alert_id=alert_id, identifier=identifier, schema=VERSION, written_at=now, counts=counts, files=tuple(files)
    )
    _whole(folder / NAME, manifest.encoded())
    sync(folder)
    return manifest


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=PRIVATE_FOLDER)


async def _table(connection: Connection, table: Table, alert_id: int, folder: Path) -> File:
    path = folder / f"{table.name}.csv.gz"
    query = f"SELECT * FROM {table.name} WHERE {table.alert} = {int(alert_id)}"
    if table.key:
        query += f" ORDER BY {table.key}"
    with PackedFile(path) as file:
        tag = await connection.copy_from_query(query, output=file.write, format="csv", header=True)
    with path.open("rb") as source:  # what is on the disk counts, not what we meant to write
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    return File(path.name, table.name, int(tag.split()[1]), path.stat().st_size, sha256)


def _whole(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Have the folder's entries on the disk: a file whose name is lost is lost."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
