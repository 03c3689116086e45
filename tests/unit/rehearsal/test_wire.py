from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.line.wire import FRAME_MAX, Ack, Answers, Frame, Framer, LineError, Ping, Submit, encode

FRAMES = (
    Ping(),
    Submit(
        7, ["头"], ["尾"], [["东"], ["西"]], [(1, 2, 3, "13800000000", 0, 0, 1.5), (1, 3, 1, "13900000000", 1, 0, 1.5)]
    ),
    Answers(7, [(0, 0, "m1", 0.0), (1, 1, "流量超限", 0.5)]),
    Ack([1, 2, 3]),
)


@given(st.lists(st.integers(1, 40), max_size=60))
def test_frames_come_out_whole_however_the_bytes_were_cut(cuts: list[int]) -> None:
    stream = b"".join(encode(frame) for frame in FRAMES)
    framer, start = Framer(), 0
    found: list[Frame] = []
    for size in [*cuts, len(stream)]:
        found += framer.feed(stream[start : start + size])
        start += size
    assert tuple(found) == FRAMES


@given(st.binary(min_size=1, max_size=64))
def test_a_frame_of_garbage_is_a_line_error_and_nothing_else(body: bytes) -> None:
    with suppress(LineError):
        list(Framer().feed(len(body).to_bytes(4, "big") + body))


def test_a_frame_longer_than_allowed_is_refused_before_it_is_read() -> None:
    with pytest.raises(LineError, match=str(FRAME_MAX)):
        list(Framer().feed((FRAME_MAX + 1).to_bytes(4, "big")))


def test_text_that_is_not_utf8_is_a_line_error() -> None:
    body = encode(Answers(1, [(0, 0, "abc", 0.0)])).replace(b"abc", b"\xff\xfe\xfd")
    with pytest.raises(LineError):
        list(Framer().feed(body))
