"""What one call says, packet by packet: the recording, as often as wanted, with pauses, then silence in which a key may
be pressed. Pure: it knows no time."""

from __future__ import annotations

from channels.voice.sip.media.g711 import SILENCE
from channels.voice.sip.media.recording import RATE, SAMPLES, Recording

PACKETS_PER_SECOND = RATE // SAMPLES


class Speech:
    """`repeats` times the recording, `pause` seconds of silence between, `tail` seconds after the last.

    `heard`: seconds of the recording that were said, the most in one go; `told`: it was said to its end once.
    """

    def __init__(self, recording: Recording, *, repeats: int, pause: float, tail: float) -> None:
        self._recording = recording
        self._repeats = repeats
        self._pause = round(pause * PACKETS_PER_SECOND)
        self._tail = round(tail * PACKETS_PER_SECOND)
        self._left = repeats
        self._next = 0
        self._silent = 0
        self._most = 0
        self.told = False
        self.over = False

    @property
    def heard(self) -> float:
        return self._most * SAMPLES / RATE

    def again(self) -> None:
        """From the beginning, all of it."""
        self._left, self._next, self._silent, self.over = self._repeats, 0, 0, False

    def packet(self, law: int) -> bytes | None:
        """The next packet's sound; None when everything was said and waited for."""
        if self._silent > 0:
            self._silent -= 1
            return SILENCE[law] * SAMPLES
        if self._left == 0:
            self.over = True
            return None
        sound = self._recording.packet(self._next, law)
        self._next += 1
        self._most = max(self._most, self._next)
        if self._next == self._recording.packets:
            self.told = True
            self._left -= 1
            self._next = 0
            self._silent = self._pause if self._left else self._tail
        return sound
