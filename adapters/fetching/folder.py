"""A folder into which somebody puts files: each is taken once it is whole, kept, and moved aside."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from adapters.fetching.dialect import Dialect
from adapters.fetching.fetcher import SIZE_MAX
from broadcaster.errors import InputError
from broadcaster.sources import Failed, Heard, Item, Shelf, Trouble, Visit

TAKEN, REFUSED = "taken", "refused"
"""The folders within it where a file goes when it is kept, or when it is nothing that could be."""

STILL = 2.0
"""Seconds without a change after which a file counts as written to its end; whoever renames a file into the folder has
it taken after as long."""

FILES_MAX = 200
"""Files of one visit; the rest waits for the next."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    modified: float
    size: int


async def look_through(folder: Path, dialect: Dialect, shelf: Shelf, wall: float) -> Visit:
    """Take the files that lie in `folder`, the oldest first; `wall` is the file system's time, in seconds."""
    try:
        waiting = await asyncio.to_thread(_waiting, folder, wall)
    except OSError as problem:
        return Failed(Trouble.UNREACHABLE, f"读不了目录（{problem.strerror or type(problem).__name__}）")
    remarks: list[str] = []
    new = 0
    for file in waiting:
        try:
            new += await _take(file, folder, dialect, shelf, remarks)
        except OSError as problem:
            remarks.append(f"文件“{_shown(file.path)}”：{problem.strerror or type(problem).__name__}")
    return Heard({}, offered=len(waiting), new=new, remarks=tuple(remarks[:20]))


async def _take(file: _File, folder: Path, dialect: Dialect, shelf: Shelf, remarks: list[str]) -> int:
    if file.size > SIZE_MAX:
        remarks.append(f"{_shown(file.path)}：超过 {SIZE_MAX // 1024 // 1024} MB，已移入 {REFUSED}")
        await asyncio.to_thread(_aside, file.path, folder / REFUSED)
        return 0
    document = await asyncio.to_thread(file.path.read_bytes)
    try:
        unpacked = await asyncio.to_thread(dialect.unpack, document)
    except InputError as problem:
        remarks.append(f"文件“{_shown(file.path)}”没有收下，已移入 {REFUSED}：{problem.what}")
        await asyncio.to_thread(_aside, file.path, folder / REFUSED)
        return 0
    remarks.extend(f"文件“{_shown(file.path)}”：{remark}" for remark in unpacked.remarks)
    links = sum(1 for piece in unpacked.pieces if not piece.document)
    if links:
        remarks.append(f"{_shown(file.path)}：列出的 {links} 条消息只有链接，目录里的文件不去取")
    items = [Item(piece.document, address=file.path.name) for piece in reversed(unpacked.pieces) if piece.document]
    new = await shelf.keep(items) if items else 0
    await asyncio.to_thread(_aside, file.path, folder / TAKEN)
    return new


def _waiting(folder: Path, wall: float) -> list[_File]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.is_symlink() or not entry.is_file():
                continue
            seen = entry.stat()
            if seen.st_mtime <= wall - STILL:
                found.append(_File(Path(entry.path), seen.st_mtime, seen.st_size))
    return sorted(found, key=lambda file: (file.modified, file.path.name))[:FILES_MAX]


def _aside(file: Path, into: Path) -> None:
    """Move it; a file of the same name that is there already is replaced: what it said is kept in the database."""
    into.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        file.replace(into / file.name)


def _shown(path: Path) -> str:
    return path.name[:80]
