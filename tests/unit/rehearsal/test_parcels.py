import pytest

from broadcaster.rehearsal.fronts.parcels import MOST, Parcels, Place, headless, place, text


def header(total: int, number: int, reference: int = 7) -> bytes:
    return bytes([5, 0, 3, reference, total, number])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (header(3, 2) + b"abc", Place(7, 3, 2, b"abc")),
        (bytes([6, 8, 4, 1, 7, 3, 2]) + b"abc", Place(263, 3, 2, b"abc")),
        (bytes([9, 1, 2, 3, 4, 0, 3, 7, 3, 2]) + b"abc", Place(7, 3, 2, b"abc")),
        (bytes([4, 1, 2, 3, 4]) + b"abc", None),
        (header(3, 4) + b"abc", None),
        (header(3, 0) + b"abc", None),
        (bytes([200]) + b"abc", None),
        (bytes([5, 0, 3, 7]), None),
        (b"", None),
    ],
)
def test_a_header_says_where_a_part_belongs_or_nothing(content: bytes, found: Place | None) -> None:
    assert place(content) == found


def test_parts_come_in_any_order() -> None:
    parcels = Parcels()
    last = Place(7, 2, 2, b"b")
    parcel = parcels.begin("138", last, 10)
    parcel.parts[2] = b"b"
    first = Place(7, 2, 1, b"a")
    assert parcels.find("138", first) is parcel
    assert parcels.find("139", first) is None
    parcel.parts[1] = b"a"
    assert parcel.content() == b"ab"


def test_a_part_that_comes_again_begins_the_message_anew() -> None:
    parcels = Parcels()
    first = Place(7, 2, 1, b"a")
    parcels.begin("138", first, 10).parts[1] = b"a"
    assert parcels.find("138", first) is None


def test_messages_that_never_become_whole_are_forgotten() -> None:
    parcels = Parcels()
    for number in range(MOST + 1):
        parcels.begin(str(number), Place(7, 2, 1, b"a"), number)
    assert parcels.find("0", Place(7, 2, 2, b"b")) is None
    assert parcels.find("1", Place(7, 2, 2, b"b")) is not None


def test_a_header_that_says_nothing_of_parts_is_no_text() -> None:
    assert headless(bytes([2, 1, 0]) + b"abc") == b"abc"
    assert headless(b"") == b""


@pytest.mark.parametrize(
    ("content", "coding", "handset", "seen"),
    [
        ("台风".encode("utf-16-be"), 8, False, "台风"),
        ("台风".encode("gb18030"), 15, False, "台风"),
        (b"\x00\x02\x11", 0, True, "@$_"),
        (b"a@b", 0, False, "a@b"),
        (b"\xd8\x00", 8, False, "\ufffd"),
    ],
)
def test_texts_are_read_as_a_handset_shows_them(content: bytes, coding: int, handset: bool, seen: str) -> None:
    assert text(content, coding, handset=handset) == seen
