"""Reading the fields of a body, and the optional parameters behind it; `WireError` where it ends too soon."""

from __future__ import annotations

import struct

from channels.sms.session.events import WireError

TAG_AND_LENGTH = struct.Struct(">HH")


class Fields:
    """A body, read from its beginning."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes, at: int = 0) -> None:
        self._body = body
        self._at = at

    def text(self, most: int) -> str:
        """A text that ends with a zero, of at most `most` octets with it."""
        start = self._at
        self.skip(most)
        return self._body[start : self._at - 1].decode("ascii", "replace")

    def skip(self, most: int, behind: int = 0) -> None:
        """Pass over such a text, and as many octets `behind` it."""
        end = self._body.find(b"\0", self._at, self._at + most)
        if end < 0:
            raise WireError("a text without an end")
        self._at = end + 1 + behind

    def octets(self, count: int) -> bytes:
        """The next `count` octets."""
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise WireError(f"a body of {len(self._body)} octets ends too soon")
        self._at += count
        return found

    def options(self) -> dict[int, bytes]:
        """The optional parameters that are left, by their tags."""
        body, at, end = self._body, self._at, len(self._body)
        found = {}
        while at < end:
            if end - at < TAG_AND_LENGTH.size:
                raise WireError("an optional parameter ends too soon")
            tag, length = TAG_AND_LENGTH.unpack_from(body, at)
            at += TAG_AND_LENGTH.size + length
            if at > end:
                raise WireError("an optional parameter ends too soon")
            found[tag] = body[at - length : at]
        self._at = at
        return found
