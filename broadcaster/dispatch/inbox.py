"""What comes back from a gateway: receipts into the log, replies to whoever understands them; durable before
acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from broadcaster.clock import Clock, told
from broadcaster.database import Database
from broadcaster.dispatch import ledger, trials
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, StrayReceipt
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import DeliveryKey, Evidence, Receipt, Reply
from broadcaster.recent import Recent

log = structlog.get_logger()

KeepReplies = Callable[[str, Sequence[Reply]], Awaitable[None]]
"""Stores a gateway's replies (by the gateway's name) and returns when they are durable."""

PROVES = {Evidence.DELIVERED: DeliveryState.DELIVERED, Evidence.FAILED: DeliveryState.FAILED}

INT4 = 2**31
INT2 = 2**15


class GatewayInbox:
    """The `ports.Inbox` of one gateway."""

    def __init__(
        self,
        gateway: Gateway,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        refs: RecentRefs,
        keep_replies: KeepReplies,
    ) -> None:
        self._gateway = gateway
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._refs = refs
        self._keep_replies = keep_replies
        self._drills: Recent[int, bool] = Recent(most=1000)

    async def receipts(self, items: Sequence[Receipt]) -> None:
        """Keep evidence; returns when it is durable. Evidence for a message that nobody knows is kept as a stray; what
        a drill's gateway says of a real alert, or a real one of a drill, is no evidence.

        The gateway's own id of the message says more than our key that it gives back: the id came with its answer.
        """
        events: list[Event] = []
        unknown: list[Receipt] = []
        misnamed = 0
        for item in items:
            given = item.key if item.key is not None and _plausible(item.key) else None
            key = self._refs.get(item.ref)
            misnamed += key is not None and given is not None and key != given
            if key is None and not (item.ref and self._refs.misnames):
                key = given
            if key is None:
                unknown.append(item)
            elif key.alert == trials.NO_ALERT:
                unknown.append(msgspec.structs.replace(item, key=key))
            else:
                events.append(self._event(key, item))
        if misnamed:
            self._refs.misnames = True
            log.warning("receipt.misnamed", gateway=self._gateway.settings.name, count=misnamed)
        strays = await self._resolve(unknown, events) if unknown else []
        foreign = await self._foreign({event.alert_id for event in events})
        if foreign:
            log.error("receipt.foreign", gateway=self._gateway.settings.name, alerts=sorted(foreign))
            events = [event for event in events if event.alert_id not in foreign]
        await self._recorder.store(events, strays)

    async def replies(self, items: Sequence[Reply]) -> None:
        """Keep what people sent back; returns when it is durable."""
        await self._keep_replies(self._gateway.settings.name, items)

    async def _foreign(self, alerts: set[int]) -> set[int]:
        """Those of `alerts` that this gateway has no part in: of the other side of the wall between drills and the real
        thing, or never issued."""
        unknown = [alert for alert in alerts if alert not in self._drills]
        if unknown:
            async with self._database.connection() as connection:
                self._drills.update(await ledger.drills(connection, unknown))
        return {alert for alert in alerts if self._drills.get(alert) is not self._gateway.settings.rehearsal}

    async def _resolve(self, unknown: Sequence[Receipt], events: list[Event]) -> list[StrayReceipt]:
        async with self._database.connection() as connection:
            unknown = await trials.received(connection, self._gateway.id, unknown, self._clock.now())
            named = [item for item in unknown if item.ref]
            if len(named) < len(unknown):
                log.warning("receipt.nameless", gateway=self._gateway.settings.name, count=len(unknown) - len(named))
            known = await ledger.resolve(connection, self._gateway.id, {ledger.storable(item.ref) for item in named})
        strays: list[StrayReceipt] = []
        for item in named:
            found = known.get(ledger.storable(item.ref))
            if found is not None:
                events.append(self._event(DeliveryKey(*found), item))
            else:
                state = int(PROVES[item.evidence])
                strays.append(
                    StrayReceipt(
                        self._gateway.id,
                        ledger.storable(item.ref),
                        state,
                        ledger.storable(item.reason) or None,
                        told(item.at, self._clock.now()),
                        self._clock.now(),
                    )
                )
        return strays

    def _event(self, key: DeliveryKey, item: Receipt) -> Event:
        failed = item.evidence is Evidence.FAILED
        reason = ledger.storable(item.reason) or None if failed else None
        return Event(*key, int(PROVES[item.evidence]), self._gateway.id, None, reason, told(item.at, self._clock.now()))


def _plausible(key: DeliveryKey) -> bool:
    """A key comes back from outside: one that cannot be ours must not spoil the write of the others."""
    return 0 < key.alert < INT4 and 0 <= key.ordinal < INT4 and 0 < key.attempt < INT2
