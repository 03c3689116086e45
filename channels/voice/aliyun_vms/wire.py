"""The shapes of the answers to SingleCallByTts, IvrCall and QueryCallDetailByCallId."""

from __future__ import annotations

import msgspec


class Called(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """Every answer; `code` "OK" when the call was taken, `call_id` is its receipt."""

    code: str
    message: str = ""
    call_id: str = ""
