"""Pictures from telephones, made harmless: decoded within bounds, turned upright, made small, and written anew.

What is written holds nothing but the pixels: no place, no time, no model of the telephone, nothing that hides behind
the end of the file.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from broadcaster.errors import InputError

MOST_BYTES = 5 * 1024 * 1024
"""Of a picture as it is sent."""

MOST_PIXELS = 60_000_000
"""Of a picture as it is sent: above any telephone's own; 180 MB when decoded."""

EDGE = 1600
"""Pixels of the longer side as it is kept."""

FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG without metadata."""

    data: bytes
    width: int
    height: int


def harmless(data: bytes) -> Picture:
    """The picture made anew; `InputError` when it is too large or none. Takes up to a second: call it in a thread."""
    if len(data) > MOST_BYTES:
        raise InputError("照片太大。", remedy="每张不超过 5 MB。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pictures above Pillow's own bound; ours is below, and asked first
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise InputError("照片的像素太多。", remedy="请换一张普通手机照片。")
                opened.draft("RGB", (EDGE, EDGE))  # a JPEG is decoded at a fraction of its size at once
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail((EDGE, EDGE))
                plain = Image.new("RGB", upright.size, "white")
                shown = upright.convert("RGBA")
                plain.paste(shown, mask=shown.getchannel("A"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InputError("这不是能打开的照片。", remedy="请选择 JPEG、PNG 或 WebP 格式的照片。") from error
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(written.getvalue(), plain.width, plain.height)
