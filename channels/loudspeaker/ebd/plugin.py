"""The plugin of an emergency broadcast platform: drivers and doors of its gateways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from broadcaster.errors import UnavailableError
from broadcaster.ports import CallbackResult, Driver, GatewaySettings, Journal, Medium, OrderStanding
from channels.http.client import Client
from channels.http.provider import Now, utc_now
from channels.loudspeaker.ebd.conversation import LARGEST_ANSWER, Conversation, Sealing
from channels.loudspeaker.ebd.door import Door
from channels.loudspeaker.ebd.driver import FAULTS, EbdDriver, judged
from channels.loudspeaker.ebd.serials import Broadcasts, Packages, door_lane
from channels.loudspeaker.ebd.settings import EbdOptions
from channels.loudspeaker.ebd.standing import report

LARGEST_CALL = 8 * 1024 * 1024
"""Octets of what a peer may bring: a report about thousands of terminals, a broadcast with its sound."""


class EbdPlugin:
    """`now` is the clock; `alone` how long nobody else has broadcast in the name of any source, where that is known."""

    name = "ebd"
    channel = Medium.LOUDSPEAKER

    def __init__(self, now: Now = utc_now, alone: timedelta = timedelta()) -> None:
        self._now = now
        self._alone = alone
        self._broadcasts: dict[tuple[str, tuple[int, int]], Broadcasts] = {}
        self._doors: dict[str, tuple[GatewaySettings, Door]] = {}

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """As `DriverPlugin.build`."""
        options = EbdOptions.read(gateway)
        sealing, trust = _sealing(options, gateway), options.trust_in_peer(gateway)
        broadcasts = self._numbers(options, options.lane(gateway))
        return EbdDriver(options, options.trust(gateway), sealing, trust, broadcasts, journal, self._now)

    def largest(self, gateway: GatewaySettings) -> int:  # noqa: ARG002 - the same for all
        """As `BringsFiles.largest`."""
        return LARGEST_CALL

    def parse(
        self,
        gateway: GatewaySettings,
        headers: Mapping[str, str],
        query: Mapping[str, str],  # noqa: ARG002 - nothing is asked in the address
        body: bytes,
    ) -> CallbackResult:
        """As `ParsesCallback.parse`."""
        return self._door(gateway).read(headers, body)

    async def report(self, gateway: GatewaySettings, journal: Journal, standing: OrderStanding) -> None:
        """As `TakesOrders.report`: an EBMStateResponse of our own accord."""
        door, options = self._door(gateway), EbdOptions.read(gateway)
        client = Client(options, options.trust(gateway), journal, largest=LARGEST_ANSWER)
        conversation = Conversation(client, options, door.sealing, door.trust, door.packages, self._now)
        journal.note("→", f"EBMStateResponse {standing.id[-12:]} {standing.state}")
        try:
            answer = await conversation.say(report(standing, options, self._now()))
        except FAULTS as problem:
            journal.note("!", f"EBMStateResponse {standing.id[-12:]} {problem}")
            raise UnavailableError(f"没能告知上级平台：{problem}", remedy="会再次告知。") from problem
        finally:
            await client.drop()
        said, good = judged(answer)
        journal.note("←", f"EBMStateResponse {standing.id[-12:]} {said}")
        if not good:
            raise UnavailableError(f"上级平台不收播发状态：{said}。", remedy="会再次告知；请与对方核对。")

    def _door(self, gateway: GatewaySettings) -> Door:
        known = self._doors.get(gateway.name)
        if known is not None and known[0] == gateway:
            return known[1]
        options = EbdOptions.read(gateway)
        packages = Packages(options.source, door_lane(), self._now)
        door = Door(options, options.trust_in_peer(gateway), _sealing(options, gateway), packages, self._now)
        self._doors[gateway.name] = gateway, door
        return door

    def _numbers(self, options: EbdOptions, share: tuple[int, int]) -> Broadcasts:
        """All gateways of one source take their numbers from one store."""
        place = (options.source, share)
        if place not in self._broadcasts:
            self._broadcasts[place] = Broadcasts(options.source, self._now, self._alone, *share)
        return self._broadcasts[place]


def _sealing(options: EbdOptions, gateway: GatewaySettings) -> Sealing:
    return Sealing(options.signer(gateway), options.cert_sn, options.issuer, options.dialect)
