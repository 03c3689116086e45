"""The driver of a rehearsal line; the media differ only in which parts of a message they carry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from broadcaster.errors import UnavailableError
from broadcaster.ports import Capabilities, Deferred, Driver, Envelope, GatewaySettings, Inbox, Journal, Medium, Outcome
from channels.line.audio import Uploads
from channels.line.intake import Intake
from channels.line.link import Link
from channels.line.sending import RETRY_AFTER, Compose, Sending
from channels.line.settings import LineSettings
from channels.line.wire import VERSION, SignIn

NOT_CONNECTED = "not connected"


class LineDriver:
    """One connection to a rehearsal. Safe to `open` again after the connection was lost."""

    def __init__(self, medium: Medium, settings: LineSettings, journal: Journal, compose: Compose) -> None:
        options = settings.options
        self.capabilities = Capabilities(
            receipts=True, replies=True, window=options.window, batch_max=options.batch_max
        )
        self._medium = medium
        self._settings = settings
        self._journal = journal
        self._compose = compose
        self._link: Link | None = None
        self._intake: Intake | None = None
        self._uploads: Uploads | None = None

    async def open(self, inbox: Inbox) -> None:
        """Connect and sign in; raises `UnavailableError` when the rehearsal does not answer or refuses."""
        await self.close()
        options = self._settings.options
        intake = Intake(inbox, self._journal)
        link = Link(options, self._journal, intake.arrive)
        try:
            await self._connect(link)
            await self._sign_in(link)
        except BaseException:
            link.end("given up")
            raise
        intake.start(link)
        self._link, self._intake, self._uploads = link, intake, Uploads(link)

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, in the order in which the answers come."""
        link, uploads = self._link, self._uploads
        if link is None or uploads is None or not link.open_for_more:
            for envelope in batch:
                yield Deferred(envelope.key, NOT_CONNECTED, RETRY_AFTER)
            return
        ready, refused = await uploads.bring(batch)
        for outcome in refused:
            yield outcome
        async for outcomes in Sending(link, self._compose, self.capabilities.window).run(ready):
            for outcome in outcomes:
                yield outcome

    async def lost(self) -> str:
        """Returns the reason once there is no connection (any more), also while nothing is being sent."""
        return NOT_CONNECTED if self._link is None else await asyncio.shield(self._link.ended)

    async def close(self) -> None:
        """Let the peer finish its answers, store what it sent, acknowledge it, disconnect."""
        link, intake = self._link, self._intake
        if link is None or intake is None:
            return
        patience = self._settings.options.answer_timeout
        link.bye()
        await link.over(patience)
        await intake.finish(patience)
        link.hang_up()
        await asyncio.wait([link.ended], timeout=self._settings.options.connect_timeout)
        link.end("disconnected")
        self._link = self._intake = self._uploads = None

    async def _connect(self, link: Link) -> None:
        loop, address = asyncio.get_running_loop(), self._settings.address
        try:
            async with asyncio.timeout(self._settings.options.connect_timeout):
                if address.path:
                    await loop.create_unix_connection(lambda: link, address.path)
                else:
                    await loop.create_connection(lambda: link, address.host, address.port)
        except (OSError, TimeoutError) as problem:
            raise UnavailableError(
                f"The rehearsal at {address} does not answer: {str(problem) or 'timed out'}.",
                remedy="Start it, or correct the gateway's address.",
            ) from problem

    async def _sign_in(self, link: Link) -> None:
        settings = self._settings
        self._journal.note("→", f"sign in as {settings.account}")
        link.write(SignIn(VERSION, settings.account, self._medium.value, settings.options.password))
        await asyncio.wait([link.signed_in], timeout=settings.options.connect_timeout)
        if not link.signed_in.done():
            link.end("no answer to the sign-in")
        if not link.alive:
            raise UnavailableError(
                f"The rehearsal at {settings.address} did not let {settings.account!r} in: {link.ended.result()}.",
                remedy="Check the account and its password.",
            )


@dataclass(frozen=True, slots=True)
class LinePlugin:
    """What a medium's rehearsal entry point names."""

    channel: Medium
    compose: Compose
    name: str = "rehearsal"

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        return LineDriver(self.channel, LineSettings.read(gateway), journal, self.compose)
