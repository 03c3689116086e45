"""QR codes as pictures inside a page."""

from __future__ import annotations

import segno


def picture(text: str) -> str:
    """A `data:` address of an SVG with `text` in it, black on white in any colour scheme: scanners need it."""
    made: str = segno.make(text, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
    return made
