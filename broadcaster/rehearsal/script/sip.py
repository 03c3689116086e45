"""The telephone exchange in the script."""

from __future__ import annotations

from broadcaster.rehearsal.script.front import FrontScript, Listen, host_and_port
from broadcaster.rehearsal.script.measures import Delay, Share
from channels.line.settings import Address

CALLER = "057412379"
"""The number that gateways call from, unless another is given."""


class SipFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A telephone exchange listens at `listen`, by UDP and by TCP, and rings the phones behind it.

    `challenge`: callers must prove who they are, also those whose account has no password of its own. Of the calls that
    come about, by chance anew for each: `unanswered` ring until the caller gives up; `hang_up` are ended by the one who
    was called, `hang_up_after` seconds from lifting the receiver. Whoever listens to the end is asked to press a key,
    and does as the voice behaviour's `duty` says; `middle` is the share of those who do not wait for the end.
    `by_info`: keys are told in signalling, not in sound. Failures and refusals by address are the behaviour's, as words
    (占线, 无人接听, 拒接, 关机, 空号) or as SIP's own numbers; its `receipt` is how long it rings.
    """

    listen: Listen = "tcp:127.0.0.1:0"
    challenge: bool = False
    unanswered: Share = 0.0
    hang_up: Share = 0.0
    hang_up_after: Delay = Delay(median=3.0)
    middle: Share = 0.3
    by_info: bool = False

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (there is one)
        return {**host_and_port(at), "caller": CALLER}
