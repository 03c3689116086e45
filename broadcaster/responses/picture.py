"""Pictures from telephones, made harmless: decoded within bounds, turned upright, made small, and written anew.

What is written holds nothing but the pixels: no place, no time, no model of the telephone, nothing that hides behind
the end of the file.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image

from broadcaster.errors import InputError

MOST_BYTES = 5 * 1024 * 1024
"""Of a picture as it is sent."""

MOST_PIXELS = 60_000_000
"""Of a picture as it is sent: above any telephone's own."""

MOST_DECODED = 25_000_000
"""Pixels of a picture as it is decoded, which takes up to 250 MB: a JPEG is at a fraction of its size, and nothing else
of `MOST_BYTES` has as many."""

LONGEST_SIDE = 30_000
"""Pixels: a panorama has 16,000. A picture one pixel wide takes eighty times its size in memory."""

MOST_SCANS = 50
"""Of a JPEG, with the small pictures that it carries along; a telephone's has ten. Each takes as long as a whole
picture, and may be as short as 75 bytes."""

EDGE = 1600
"""Pixels of the longer side as it is kept."""

FORMATS = ("JPEG", "PNG", "WEBP")
_SCAN = b"\xff\xda"
_QUALITY = 80
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the orientation that Exif (TIFF 6.0, tag 274) gives."""


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
    if data.startswith(b"\xff\xd8") and data.count(_SCAN) > MOST_SCANS:
        raise InputError("这不是能打开的照片。", remedy="请选择 JPEG、PNG 或 WebP 格式的照片。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pictures above Pillow's own bound; ours is below, and asked first
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _require_pixels(opened, MOST_PIXELS)
                opened.draft("RGB", (EDGE, EDGE))  # a JPEG is decoded at a fraction of its size at once
                _require_pixels(opened, MOST_DECODED)
                opened.thumbnail((EDGE, EDGE))
                shown = _upright(opened.convert("RGBA"), opened)
                plain = Image.new("RGB", shown.size, "white")
                plain.paste(shown, mask=shown.getchannel("A"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InputError("这不是能打开的照片。", remedy="请选择 JPEG、PNG 或 WebP 格式的照片。") from error
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(written.getvalue(), plain.width, plain.height)


def _require_pixels(opened: Image.Image, most: int) -> None:
    if opened.width * opened.height > most or max(opened.size) > LONGEST_SIDE:
        raise InputError("照片的像素太多。", remedy="请换一张普通手机照片。")


def _upright(shown: Image.Image, opened: Image.Image) -> Image.Image:
    """Turned as the telephone says that it was held; as it is where what the telephone says cannot be read."""
    try:
        turn = _TURNS.get(opened.getexif().get(ExifTags.Base.Orientation))
    except (ValueError, TypeError, KeyError, SyntaxError, OSError, struct.error):
        turn = None
    return shown if turn is None else shown.transpose(turn)
