"""Decoding: what is no sound is refused, and a hostile file gets nowhere."""

from __future__ import annotations

import io
import math
import socket
import struct
import wave

import pytest

from broadcaster.errors import InputError
from channels.speech.decode import decode


def wav(seconds: float, amplitude: float, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        count = round(seconds * rate)
        values = (round(32767 * amplitude * math.sin(2 * math.pi * 440 * n / rate)) for n in range(count))
        target.writeframes(struct.pack(f"<{count}h", *values))
    return file.getvalue()


def test_length_level_and_rate_are_measured() -> None:
    heard = decode(wav(1.5, 0.5))
    assert heard.seconds == pytest.approx(1.5)
    assert heard.sample_rate == 8000
    assert heard.peak == pytest.approx(-6.0, abs=0.1)
    assert heard.rms == pytest.approx(-9.0, abs=0.1)


def test_silence_decodes_and_is_told_apart() -> None:
    heard = decode(wav(1.0, 0.0))
    assert heard.seconds == pytest.approx(1.0)
    assert heard.peak == heard.rms == -math.inf


def test_a_cut_file_is_shorter_than_it_should_be() -> None:
    whole = wav(2.0, 0.5)
    assert decode(whole[: len(whole) // 2]).seconds < 1.1


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 5000, b"hello " * 1000, b"<html></html>", b"RIFF", b"ID3\x04\0\0\0\0\0\0", wav(1.0, 0.5)[:44]],
    ids=["empty", "zeroes", "text", "html", "cut header", "tag only", "no samples"],
)
def test_what_is_no_sound_is_refused_with_what_is_allowed(data: bytes) -> None:
    with pytest.raises(InputError) as failure:
        decode(data)
    assert "MP3" in failure.value.remedy


def test_a_playlist_cannot_make_us_open_an_address_or_a_file() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.mp3"
        for playlist in (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{address}'\n",
            "ffconcat version 1.0\nfile '/etc/passwd'\n",
        ):
            with pytest.raises(InputError):
                decode(playlist.encode())
        with pytest.raises(BlockingIOError):
            server.accept()
