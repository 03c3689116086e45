"""Reading the fields of an SMPP body; `WireError` where it ends too soon."""

from __future__ import annotations

from channels.sms.session.events import WireError


class Fields:
    """A body, read from its beginning."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def text(self, most: int) -> str:
        """A text that ends with a zero, of at most `most` octets with it."""
        end = self._body.find(b"\0", self._at, self._at + most)
        if end < 0:
            raise WireError("a text without an end")
        found = self._body[self._at : end]
        self._at = end + 1
        return found.decode("ascii", "replace")

    def octets(self, count: int) -> bytes:
        """The next `count` octets."""
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise WireError(f"a body of {len(self._body)} octets ends too soon")
        self._at += count
        return found

    def options(self) -> dict[int, bytes]:
        """The optional parameters that are left, by their tags."""
        found = {}
        while self._at < len(self._body):
            tag, length = self.octets(2), self.octets(2)
            found[int.from_bytes(tag)] = self.octets(int.from_bytes(length))
        return found
