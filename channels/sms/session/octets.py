"""What the carriers' protocols write alike: frames, filled-up texts, times, the proof of a secret."""

from __future__ import annotations

from datetime import datetime
from hashlib import md5

from broadcaster.clock import BEIJING
from channels.sms.session.events import WireError

ANSWER = 0x80000000
"""The bit that makes a command's answer of it."""


def cut(data: bytes, length: int, what: str) -> bytes:
    """The first `length` octets of `what`; `WireError` where there are fewer."""
    if len(data) < length:
        raise WireError(f"{what} ends after {len(data)} octets")
    return data[:length]


def word(filled: bytes) -> str:
    """A text that is filled up with zeros."""
    return filled.partition(b"\0")[0].decode("ascii", "replace").strip()


def stamp(moment: datetime) -> str:
    """MMDDHHMMSS, the carriers' time of day."""
    return moment.astimezone(BEIJING).strftime("%m%d%H%M%S")


def validity(expires: datetime) -> bytes:
    """Valid_Time: YYMMDDhhmmss, tenths of a second, and the distance from UTC in quarters of an hour."""
    return expires.astimezone(BEIJING).strftime("%y%m%d%H%M%S").encode() + b"032+"


def authenticator(user: str, zeros: int, password: str, moment: str) -> bytes:
    """MD5 over user, as many zeros as the protocol wants, secret, and the time as MMDDHHMMSS; 16 octets."""
    digest = md5(user.encode() + bytes(zeros) + password.encode() + moment.encode(), usedforsecurity=False)
    return digest.digest()
