"""The pipe to the speech process: what one side writes the other reads, and noise is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.speech.frames import PREFIX, FrameError, frame, header_of, lengths


@given(st.dictionaries(st.text(), st.text() | st.integers()), st.binary())
def test_a_frame_comes_back_as_it_was_written(header: dict[str, str | int], body: bytes) -> None:
    written = frame(header, body)
    head, tail = lengths(written[: PREFIX.size])
    assert header_of(written[PREFIX.size : PREFIX.size + head]) == header
    assert written[PREFIX.size + head :] == body
    assert len(body) == tail


@pytest.mark.parametrize("noise", [b"\xff" * 8, b"\0" * 8, b"Traceback", b"HTTP/1.1"])
def test_noise_on_the_pipe_is_no_frame(noise: bytes) -> None:
    with pytest.raises(FrameError):
        lengths(noise[:8])


@pytest.mark.parametrize("noise", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_header_that_is_no_object_is_refused(noise: bytes) -> None:
    with pytest.raises(FrameError):
        header_of(noise)
