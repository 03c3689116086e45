"""Mail through an SMTP relay (RFC 5321), with delivery reports where it offers them (RFC 3461)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime

from broadcaster.errors import SettingsError
from broadcaster.ports import (
    CallbackResult,
    Capabilities,
    Driver,
    Envelope,
    GatewaySettings,
    Inbox,
    Journal,
    Medium,
    Outcome,
)
from channels.email.intake import Intake
from channels.email.post import read
from channels.email.sending import Sending
from channels.email.settings import SmtpSettings
from channels.http.callback import require_token

BATCH_MAX = 100  # mails go one after the other: a small batch leaves the slot free for a graver alert

Now = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class SmtpDriver:
    """One connection to the relay, kept open between batches; opened anew when the relay has closed it."""

    def __init__(self, settings: SmtpSettings, journal: Journal, now: Now = _now, intake: Intake | None = None) -> None:
        receipts = settings.options.bounce_token is not None
        self.capabilities = Capabilities(
            receipts=receipts, replies=settings.options.replies, window=1, batch_max=BATCH_MAX
        )
        self._journal = journal
        self._intake = intake
        self._joined = False
        self._sending = Sending(settings, journal, now, receipts=receipts)
        self._turn = asyncio.Lock()

    async def open(self, inbox: Inbox) -> None:
        """Connect, secure and sign in; `UnavailableError` says which of them failed."""
        async with self._turn:
            await self._sending.open()
            if self._intake is not None and not self._joined:
                self._joined = True
                self._intake.join(inbox, self._journal)

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """Send each mail once, one after the other."""
        async with self._turn:
            async for outcome in self._sending.run(batch):
                yield outcome

    async def close(self) -> None:
        """Let the mail in flight finish, say QUIT, disconnect; the rest of the batch is deferred."""
        self._sending.opened = False
        async with self._turn:
            await self._sending.quit()
            if self._joined and self._intake is not None:
                self._joined = False
                await self._intake.leave()


class SmtpPlugin:
    """`email.smtp`: builds drivers, and takes the bounces that the mail server posts."""

    name = "smtp"
    channel = Medium.EMAIL

    def __init__(self) -> None:
        self._intakes: dict[str, tuple[GatewaySettings, Intake]] = {}

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one connection; `SettingsError` when the options are wrong."""
        settings = SmtpSettings.read(gateway)
        return SmtpDriver(settings, journal, intake=self._intake(gateway, settings) if settings.intake else None)

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        """One mail from the bounce mailbox (message/rfc822), shown with the token as bearer or as `?token=`."""
        settings = SmtpSettings.read(gateway)
        shown = headers.get("authorization", "").removeprefix("Bearer ") or query.get("token", "")
        require_token(shown, settings.options.bounce_token, "bounce_token")
        post = read(body, (), _now(), settings.seals)
        return CallbackResult(post.receipts, post.replies, 200, "text/plain", b"ok\n")

    def _intake(self, gateway: GatewaySettings, settings: SmtpSettings) -> Intake:
        """The one that all connections of a gateway share, as long as its settings are the same."""
        known = self._intakes.get(gateway.name)
        if known is None or known[0] != gateway:
            self._refuse_to_share(gateway, settings)
            known = self._intakes[gateway.name] = (gateway, Intake(settings, _now))
        return known[1]

    def _refuse_to_share(self, gateway: GatewaySettings, settings: SmtpSettings) -> None:
        """Each gateway would take half of the other's mails, and believe none of them."""
        for name, (_, other) in self._intakes.items():
            if name != gateway.name and (shared := other.sources & settings.sources):
                raise SettingsError(
                    f"网关 {gateway.name!r} 与 {name!r} 共用 {'、'.join(sorted(shared))}，退信会被对方取走。",
                    remedy="每个邮件网关请用自己的 listen 地址和退信邮箱。",
                )


plugin = SmtpPlugin()
