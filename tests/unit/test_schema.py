"""The schema's history is complete: no migration without its version, none that asks for what does not exist yet."""

from __future__ import annotations

from importlib.resources import files

from broadcaster.schema import CHANGES, VERSION


def test_every_migration_has_its_version_in_the_order_of_its_number() -> None:
    for app in ("audiences", "broadcaster"):
        found = sorted(
            file.name.removesuffix(".py")
            for file in files(f"{app}.migrations").iterdir()
            if file.name[:1].isdigit() and file.name.endswith(".py")
        )
        assert [change.name for change in CHANGES if change.app == app] == found


def test_versions_count_up_and_none_needs_a_later_one() -> None:
    assert [change.version for change in CHANGES] == list(range(1, VERSION + 1))
    assert all(change.needs <= change.version for change in CHANGES)
