from datetime import UTC, datetime

from broadcaster.rehearsal.names import SEQUENCES, Numbers, Serials, Words, stamp

AT = datetime(2026, 8, 9, 19, 30, 15, tzinfo=UTC).timestamp()


def test_a_number_tells_its_moment_in_beijing() -> None:
    number = Numbers(5, now=lambda: AT).block(1)
    month, day, hour = number >> 60, number >> 55 & 31, number >> 50 & 31
    minute, second = number >> 44 & 63, number >> 38 & 63
    assert (month, day, hour, minute, second) == (8, 10, 3, 30, 15)
    assert number >> 16 & 0x3FFFFF == 5


def test_the_parts_of_a_message_follow_each_other_also_where_the_sequence_begins_anew() -> None:
    numbers = Numbers(5, now=lambda: AT)
    numbers.block(SEQUENCES - 2)
    first = numbers.block(5)
    assert [(first + place) & 0xFFFF for place in range(5)] == [0, 1, 2, 3, 4]


def test_no_number_is_given_twice_within_a_second() -> None:
    numbers = Numbers(5, now=lambda: AT)
    given = [numbers.block(1) for _ in range(1000)]
    given += [int(numbers.stray(), 16), int(numbers.reply(), 16)]
    assert len(set(given)) == len(given)


def test_words_begin_with_the_accounts_prefix() -> None:
    words = Words("p")
    assert (words.messages(2), words.stray(), words.reply(), words.messages(1)) == (["p1", "p2"], "px1", "pr1", ["p3"])


def test_a_stamp_has_26_bits() -> None:
    assert stamp(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) < 1 << 26


def test_serials_are_numbers_that_count_up_and_fit_into_64_bits_with_a_sign() -> None:
    for first in (0, 5, 0xFFFFFFFF):
        serials = Serials(first)
        given = [int(one) for one in (serials.message(), serials.stray(), serials.reply(), serials.message())]
        assert given == list(range(given[0], given[0] + 4))
        assert 0 < given[0] < given[-1] < 1 << 62
