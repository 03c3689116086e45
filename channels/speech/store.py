"""Finished broadcasts on disk, found again by what they say. Blocks: call it from a worker thread.

A broadcast is two files in `<folder>/<first two of key>/`: the sound, and a note (JSON) of its length and SHA-256. The
note is written last, and a sound that does not match its note counts as absent: a crash, a full disk or a truncated
copy can cost a rebuild, never a wrong broadcast.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from broadcaster.errors import UnavailableError
from broadcaster.ports import Audio
from channels.speech.encoding import Encoding

LEFTOVER_AGE = 3600.0  # s after which a part file belongs to nobody
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class BroadcastStore:
    """The folder of finished broadcasts; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, encoding: Encoding) -> Audio | None:
        """The broadcast kept under `key` (hex), or None when there is none that is whole."""
        sound, note = self._paths(key, encoding)
        try:
            kept = json.loads(note.read_bytes())
            whole = hashlib.sha256(sound.read_bytes()).hexdigest() == kept["sha256"]
            return Audio(sound, encoding.media_type, float(kept["seconds"]), kept["sha256"]) if whole else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, encoding: Encoding, make: Callable[[Path], float]) -> Audio:
        """Let `make` write the sound to the path it is given and return its seconds; then keep it under `key`.

        Raises what `make` raises, and `UnavailableError` when the disk does not take it; nothing is left behind then.
        """
        sound, note = self._paths(key, encoding)
        with self._explained():
            sound.parent.mkdir(parents=True, exist_ok=True)
            with _part(sound) as part:
                seconds = make(part)
                digest = hashlib.sha256(part.read_bytes()).hexdigest()
                _into_place(part, sound)
            with _part(note) as part:
                part.write_text(json.dumps({"seconds": seconds, "sha256": digest, "media_type": encoding.media_type}))
                _into_place(part, note)
        return Audio(sound, encoding.media_type, seconds, digest)

    @contextmanager
    def claimed(self, key: str) -> Iterator[bool]:
        """Whether this process may build `key` now; the claim ends with the block, or with the process."""
        with self._explained():
            locks = self._folder / "locks"
            locks.mkdir(parents=True, exist_ok=True)
            handle = os.open(locks / key[:2], os.O_RDWR | os.O_CREAT, 0o644)
        try:
            yield _locked(handle)
        finally:
            os.close(handle)

    def sweep(self) -> None:
        """Remove what crashed builders left half-written."""
        oldest = time.time() - LEFTOVER_AGE
        for part in self._folder.glob("??/*.part"):
            with contextlib.suppress(OSError):
                if part.stat().st_mtime < oldest:
                    part.unlink()

    def _paths(self, key: str, encoding: Encoding) -> tuple[Path, Path]:
        base = self._folder / key[:2] / key
        return base.with_name(key + encoding.suffix), base.with_name(key + ".json")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "请腾出磁盘空间。" if error.errno in FULL else "请检查 [data] dir 目录是否存在、可写。"
            raise UnavailableError(
                f"广播音频写不进 {self._folder}：{error.strerror or error}。", remedy=remedy
            ) from error


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; gone at the end of the block unless moved into place."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _into_place(part: Path, target: Path) -> None:
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
