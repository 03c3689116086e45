"""Finished broadcasts on disk: whole or absent."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from broadcaster.errors import UnavailableError
from channels.speech.encoding import MP3
from channels.speech.store import LEFTOVER_AGE, BroadcastStore

KEY = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> BroadcastStore:
    return BroadcastStore(tmp_path / "audio")


def keep(store: BroadcastStore, data: bytes = b"sound" * 100) -> Path:
    def make(path: Path) -> float:
        path.write_bytes(data)
        return 1.5

    return store.keep(KEY, MP3, make).path


def test_what_is_kept_is_found_again(store: BroadcastStore) -> None:
    path = keep(store)
    found = store.find(KEY, MP3)
    assert found is not None
    assert (found.path, found.seconds, found.media_type) == (path, 1.5, "audio/mpeg")
    assert len(found.sha256) == 64


def test_what_was_never_kept_is_absent(store: BroadcastStore) -> None:
    assert store.find(KEY, MP3) is None


@pytest.mark.parametrize(
    "damage", ["truncated", "altered", "emptied", "sound lost", "note lost", "note cut", "note odd"]
)
def test_a_damaged_broadcast_counts_as_absent(store: BroadcastStore, damage: str) -> None:
    path = keep(store)
    note = path.with_suffix(".json")
    data = path.read_bytes()
    match damage:
        case "truncated":
            path.write_bytes(data[:-1])
        case "altered":
            path.write_bytes(data[:-1] + b"!")
        case "emptied":
            path.write_bytes(b"")
        case "sound lost":
            path.unlink()
        case "note lost":
            note.unlink()
        case "note cut":
            note.write_bytes(note.read_bytes()[:-9])
        case "note odd":
            note.write_text("[]")
    assert store.find(KEY, MP3) is None


def test_a_builder_that_fails_leaves_nothing_behind(store: BroadcastStore, tmp_path: Path) -> None:
    def make(path: Path) -> float:
        path.write_bytes(b"half")
        raise ValueError("encoder died")

    with pytest.raises(ValueError, match="encoder died"):
        store.keep(KEY, MP3, make)
    assert store.find(KEY, MP3) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_rebuild_replaces_the_damaged_file(store: BroadcastStore) -> None:
    path = keep(store)
    path.write_bytes(b"")
    keep(store)
    assert store.find(KEY, MP3) is not None


def test_only_one_claims_a_broadcast_at_a_time(store: BroadcastStore) -> None:
    with store.claimed(KEY) as first, store.claimed(KEY) as second:
        assert (first, second) == (True, False)
    with store.claimed(KEY) as later:
        assert later


def test_a_folder_that_cannot_be_written_is_unavailable_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "audio").write_text("a file where the folder should be")
    store = BroadcastStore(tmp_path / "audio")
    with pytest.raises(UnavailableError, match="写不进") as failure:
        keep(store)
    assert failure.value.remedy
    with pytest.raises(UnavailableError, match="写不进"), store.claimed(KEY):
        pass


def test_a_full_disk_is_told_as_one(store: BroadcastStore) -> None:
    def make(_path: Path) -> float:
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"sound")
        return 1.0

    with pytest.raises(UnavailableError, match="腾出磁盘空间"):
        store.keep(KEY, MP3, make)


def test_the_leftovers_of_crashed_builders_are_swept_and_running_ones_are_not(
    store: BroadcastStore, tmp_path: Path
) -> None:
    folder = keep(store).parent
    old, fresh = folder / ".x.mp3.1.part", folder / ".y.mp3.2.part"
    old.write_bytes(b"")
    fresh.write_bytes(b"")
    long_ago = time.time() - LEFTOVER_AGE - 60
    os.utime(old, (long_ago, long_ago))
    store.sweep()
    assert not old.exists()
    assert fresh.exists()
    assert store.find(KEY, MP3) is not None
