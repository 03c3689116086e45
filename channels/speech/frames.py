"""How the studio and a speech process talk over pipes: frames of a JSON header and raw bytes.

A frame is u32 BE length of the header, u32 BE length of the body, the header (UTF-8 JSON object), the body (samples).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

PREFIX = struct.Struct(">II")
HEADER_MAX = 1 << 20
BODY_MAX = 1 << 28


class FrameError(ValueError):
    """The bytes are no frame: the two sides do not understand each other any more."""


def frame(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One frame as it goes over the pipe."""
    written = json.dumps(header, ensure_ascii=False).encode()
    return PREFIX.pack(len(written), len(body)) + written + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """Bytes of header and body announced by the first eight bytes of a frame; FrameError when they cannot be meant."""
    header, body = PREFIX.unpack(prefix)
    if not 0 < header <= HEADER_MAX or body > BODY_MAX:
        raise FrameError(f"Frame of {header} + {body} bytes.")
    return header, body


def header_of(written: bytes) -> dict[str, Any]:
    """The header as written by `frame`; FrameError for anything else."""
    try:
        header = json.loads(written)
    except ValueError as error:
        raise FrameError("Header is no JSON.") from error
    if not isinstance(header, dict):
        raise FrameError("Header is no JSON object.")
    return header
