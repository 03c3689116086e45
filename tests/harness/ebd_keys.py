"""Keys of the emergency broadcast platforms in tests, ours and a peer's, with their certificates' serial numbers."""

from __future__ import annotations

from channels.loudspeaker.signing.sm2 import PrivateKey

OURS = "2d9e5f8a6b7c4d3e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e"
OURS_SERIAL = "000000000101"
THEIRS = "6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b"
THEIRS_SERIAL = "000000000202"


def public(secret: str) -> str:
    """The public key of a private one, both in hex."""
    x, y = PrivateKey.read(secret).public().point
    return f"04{x:064x}{y:064x}"
