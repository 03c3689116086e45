"""A trial finds what is wrong with a decoder, the same way each time."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz.mutation import mutate
from tests.fuzz.trial import Bound, Decoder, trial

GREETING = b"HELLO\x05world"


class RefusedError(ValueError):
    """The only way to refuse."""


def greeting(frame: bytes) -> str:
    if len(frame) < 6 or not frame.startswith(b"HELLO") or len(frame) != 6 + frame[5]:
        raise RefusedError
    return frame[6:].decode("ascii", "replace")


def with_its_length(frame: bytes) -> bytes:
    return frame[:5] + bytes([len(frame[6:261])]) + frame[6:261]


GOOD = Decoder("greeting", greeting, [GREETING], (RefusedError,), mend=with_its_length)


def crashes(frame: bytes) -> str:
    return greeting(frame) if frame[5:6] != b"\xff" else str(frame[400])


def works_forever(frame: bytes) -> str:
    at = 0
    while at < len(frame):
        at += frame[5] if len(frame) > 5 else 1
    return greeting(frame)


def works_squared(frame: bytes) -> str:
    found = 0
    for one in frame:
        for other in frame:
            found += one == other
    return greeting(frame)


def allocates(frame: bytes) -> str:
    announced = int.from_bytes(frame[5:9])
    return greeting(frame) + str(len(bytes(min(announced, 10_000_000))))[:0]


def swallows(frame: bytes) -> str:
    try:
        return works_forever(frame)
    except Exception:
        return ""


def test_a_good_decoder_passes_and_both_its_ways_out_were_taken() -> None:
    tally = trial(GOOD, 3_000, 1)
    assert tally.frames == tally.refused + tally.understood == 3_000
    assert tally.refused > 300
    assert tally.understood > 300


@pytest.mark.parametrize(
    ("decode", "said"),
    [
        (crashes, "IndexError"),
        (works_forever, "lines of work"),
        (works_squared, "lines of work"),
        (swallows, "lines of work"),
        (allocates, "octets of memory"),
    ],
)
def test_a_decoder_with_a_fault_is_caught_with_the_frame_that_shows_it(decode: object, said: str) -> None:
    faulty = Decoder("faulty", decode, [GREETING], (RefusedError,), mend=with_its_length)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=said) as caught:
        trial(faulty, 20_000, 1)
    assert "seed 1, frame" in str(caught.value)


@pytest.mark.parametrize(("decode", "said"), [(crashes, "IndexError"), (works_squared, "lines of work")])
def test_a_fault_is_found_too_where_only_some_frames_are_weighed(decode: object, said: str) -> None:
    faulty = Decoder("faulty", decode, [GREETING], (RefusedError,), mend=with_its_length)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=said):
        trial(faulty, 20_000, 1, weighed=50)
    assert trial(GOOD, 3_000, 1, weighed=50).frames == 3_000


@pytest.mark.parametrize("much", [200, 0], ids=["much", "little"])
def test_a_decoder_that_keeps_what_it_gets_is_caught(much: int) -> None:
    kept: list[object] = []

    def hoards(frame: bytes) -> str:
        kept.append(frame + bytes(much) if much else len(frame) + 1000)
        return greeting(frame)

    with pytest.raises(AssertionError, match="still held"):
        trial(Decoder("hoards", hoards, [GREETING], (RefusedError,)), 20_000, 1)


def test_a_decoder_that_lets_nothing_in_was_not_tried() -> None:
    def never(frame: bytes) -> str:
        if frame != GREETING:
            raise RefusedError
        return greeting(frame)

    with pytest.raises(AssertionError, match="nothing behind its door"):
        trial(Decoder("never", never, [GREETING], (RefusedError,), steps=Bound(100, 1)), 50, 1)


def test_the_same_seed_gives_the_same_frames() -> None:
    first, again, other = (list(islice(mutate([GREETING, b""], seed=seed, longest=99), 500)) for seed in (1, 1, 2))
    assert first == again != other
    assert max(map(len, first)) <= 99
