"""What a process remembers has an end."""

from __future__ import annotations

from broadcaster.recent import Recent


def test_the_oldest_entry_makes_room_for_the_newest() -> None:
    recent: Recent[int, str] = Recent(most=2)
    recent[1] = "one"
    recent[2] = "two"
    recent[1] = "one again"
    recent.update({3: "three"})
    assert dict(recent) == {2: "two", 3: "three"}


def test_what_was_forgotten_is_as_if_it_had_never_been() -> None:
    recent: Recent[int, int] = Recent(most=100)
    for number in range(10_000):
        recent[number] = number
    assert len(recent) == 100
    assert recent.get(0) is None
    assert recent[9_999] == 9_999
