"""A file system that is small enough to be filled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broadcaster.errors import UnavailableError

MEGABYTES = 96


class SmallDisk:
    """`folder` lies on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                block = bytes(size)
                try:
                    while True:
                        filler.write(block)
                except OSError:
                    continue

    def clear(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount one on `folder`; `UnavailableError` where that is not allowed."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "daohu-test", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UnavailableError(f"No file system can be mounted here: {error}.") from error
    if made.returncode:
        raise UnavailableError(f"No file system can be mounted here: {made.stderr.strip()}.")
    try:
        folder.chmod(0o755)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
