"""How long a driver waits for a peer that does answer: however busy the machine is, that is no silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from broadcaster.testing import Mood, Peer, Promise

ANSWERS = ("connect_timeout", "answer_timeout", "data_timeout")
LONG = 8.0
"""Seconds; less than any peer's patience."""

AnyPeer = TypeVar("AnyPeer", bound=Peer)


def unhurried(peer: AnyPeer, promise: Promise) -> AnyPeer:
    """The peer, whose gateway waits long where the promise is about one that takes and answers everything."""
    if promise.mood in (Mood.WILLING, Mood.SLOW, Mood.THROTTLING):
        options = peer.gateway.options
        longer = {name: max(LONG, float(str(options[name]))) for name in ANSWERS if name in options}
        peer.gateway = replace(peer.gateway, options={**options, **longer})
    return peer
