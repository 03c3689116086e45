"""What all connections of a process to one gateway share: the recordings, the pace, whom a refusal means, and whose
calls are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from weakref import WeakSet

from channels.voice.sip.call import Call
from channels.voice.sip.media.pacer import Pacer
from channels.voice.sip.media.recording import Recordings
from channels.voice.sip.refusals import Refusals
from channels.voice.sip.trunk import Trunk

_pacers: dict[asyncio.AbstractEventLoop, Pacer] = {}
"""One for each event loop, which is one for a process: whatever the number of gateways, one timer."""


class Exchange:
    """One gateway, in one process."""

    def __init__(self) -> None:
        self.recordings = Recordings()
        self.refusals = Refusals()
        self._trunks: WeakSet[Trunk] = WeakSet()

    def pacer(self) -> Pacer:
        """The one that paces all calls of this process."""
        loop = asyncio.get_running_loop()
        if loop not in _pacers:
            for gone in [one for one in _pacers if one.is_closed()]:
                del _pacers[gone]
            _pacers[loop] = Pacer(loop)
        return _pacers[loop]

    def join(self, trunk: Trunk) -> None:
        """Calls over this one can be recalled by the gateway's other connections too."""
        self._trunks.add(trunk)

    def calls(self) -> Iterator[Call]:
        """All calls that are under way."""
        for trunk in list(self._trunks):
            yield from list(trunk.calls)
