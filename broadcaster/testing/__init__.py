"""The contract kit: what every driver promises, ours and third parties', checked against the driver's own peer.

A driver's author writes a `Peer` (what plays the gateway) and one test:

    @pytest.mark.parametrize("promise", PROMISES, ids=str)
    async def test_the_driver_keeps(promise: Promise, peer: Peer) -> None:
        await promise.check(plugin, peer)

`promise.check` raises `NotPromised` (skip then) when the driver or the peer has no such thing, AssertionError when the
promise is broken. A peer whose gateway reports by calling us over HTTP is also a `CallsBack`: the kit listens where
the product would.
"""

from broadcaster.testing.callbacks import CallsBack
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from broadcaster.testing.peer import Mood, Peer
from broadcaster.testing.promises import PROMISES, NotPromised, Promise

__all__ = ["PROMISES", "CallsBack", "MemoryInbox", "MemoryJournal", "Mood", "NotPromised", "Peer", "Promise"]
