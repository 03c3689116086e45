"""What is heard: files, their formats, the languages of what is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Sound(StrEnum):
    """The file formats that a broadcast is made in, all mono; a driver names its gateway's in `Capabilities`."""

    MP3 = "mp3"
    """MPEG-1/2 layer III, 22.05 kHz, 48 kbit/s: `audio/mpeg`."""
    A_LAW = "alaw"
    """WAV of G.711 A-law, 8 kHz: `audio/wav`."""
    MU_LAW = "ulaw"
    """WAV of G.711 µ-law, 8 kHz: `audio/wav`."""
    PCM = "pcm"
    """WAV of signed 16-bit samples, 8 kHz: `audio/wav`."""
    WIDE_PCM = "pcm16k"
    """WAV of signed 16-bit samples, 16 kHz: `audio/wav`."""
    OPUS = "opus"
    """Opus in Ogg (RFC 7845), 24 kbit/s: `audio/ogg`."""
    AMR = "amr"
    """AMR narrow-band (RFC 4867 storage format), 12.2 kbit/s: `audio/amr`."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A broadcast file that is ready to play: path, media type, length in seconds, SHA-256 in hex."""

    path: Path
    media_type: str
    seconds: float
    sha256: str


DIALECTS = ("yue", "wuu", "nan", "hak", "gan", "hsn", "cdo", "cjy", "mnp", "cpx")
"""Chinese languages besides Mandarin (ISO 639-3): Cantonese, Wu, Southern Min, Hakka, Gan, Xiang, Eastern Min, Jin,
Northern Min, Pu-Xian."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is said in one language (BCP 47)."""

    text: str
    language: str
