"""The one place that imports pydub, whose warnings on import are its own business."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # pydub 0.25.1 has unescaped regular expressions (a warning when first compiled),
    warnings.filterwarnings("ignore", message=r".*invalid escape sequence")
    # imports audioop, which Python 3.11 and 3.12 announce as leaving (from 3.13 it is the audioop-lts package),
    warnings.filterwarnings("ignore", message=r"'audioop' is deprecated", category=DeprecationWarning)
    # and looks for an ffmpeg on PATH while we bring our own.
    warnings.filterwarnings("ignore", message=r"Couldn't find ffmpeg", category=RuntimeWarning)
    from pydub import AudioSegment

__all__ = ["AudioSegment", "segment"]


def segment(samples: bytes, sample_rate: int) -> AudioSegment:
    """Signed 16-bit mono samples as something that can be joined and measured."""
    return AudioSegment(samples, sample_width=2, frame_rate=sample_rate, channels=1)
