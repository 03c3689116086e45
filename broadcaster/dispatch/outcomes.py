"""Outcomes: what becomes of a gateway's messages, written down, held for or against it, and told to their loads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from broadcaster.clock import Clock
from broadcaster.dispatch import ledger
from broadcaster.dispatch.breaker import Breaker
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Event, Row
from broadcaster.dispatch.load import Load, backoff, bearable
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import Accepted, Deferred, Outcome, Rejected, Unknown


class Outcomes:
    """Those of one connection."""

    def __init__(self, gateway: Gateway, refs: RecentRefs, breaker: Breaker, recorder: Recorder, clock: Clock) -> None:
        self._gateway = gateway
        self._refs = refs
        self._breaker = breaker
        self._recorder = recorder
        self._clock = clock
        self._moment: datetime | None = None

    def settle(self, outcome: Outcome, load: Load) -> None:
        """The driver has said what became of a message of `load`."""
        batch = load.batch
        match outcome:
            case Accepted(key, ref):
                if ref:
                    self._refs[ref] = key
                self._breaker.good()
                self._note(batch, key.ordinal, DeliveryState.SUBMITTED, ref=ref or None)
            case Rejected(key, reason):
                self._breaker.good()
                self._note(batch, key.ordinal, DeliveryState.FAILED, reason=reason)
            case Unknown(key, reason):
                self._breaker.bad(reason)
                self._note(batch, key.ordinal, DeliveryState.UNKNOWN, reason=reason)
                load.unanswered()
                load.again(backoff(batch.claims))
            case Deferred(_, reason, after, address_only):
                if address_only:
                    self._breaker.good()
                else:
                    self._breaker.bad(reason)
                load.again(max(bearable(after), backoff(batch.claims)))

    def needed(self, batch: Batch, rows: Sequence[Row], among: set[int] | None = None) -> list[Row]:
        """The rows to be sent (of those `among` these ordinals); that the others need not be is written down."""
        found = []
        for row in rows:
            if among is not None and row.ordinal not in among:
                continue
            if row.needed:
                found.append(row)
            else:
                self._note(batch, row.ordinal, DeliveryState.CANCELLED, reason="already reached")
        return found

    def fail(self, batch: Batch, rows: Sequence[Row], reason: str) -> None:
        """No message can ever be made for these rows: that they have failed is written down."""
        for row in rows:
            self._note(batch, row.ordinal, DeliveryState.FAILED, reason=reason)

    def _note(
        self, batch: Batch, ordinal: int, state: DeliveryState, *, ref: str | None = None, reason: str | None = None
    ) -> None:
        self._recorder.add(
            Event(
                batch.alert_id,
                ordinal,
                batch.claims,
                state,
                self._gateway.id,
                ledger.storable(ref) if ref else None,
                ledger.storable(reason) if reason else None,
                self._moment or self._now(),
            )
        )

    def _now(self) -> datetime:
        """The time, which for everything that one turn of the event loop settles is the same."""
        self._moment = self._clock.now()
        asyncio.get_running_loop().call_soon(self._turn_over)
        return self._moment

    def _turn_over(self) -> None:
        self._moment = None
