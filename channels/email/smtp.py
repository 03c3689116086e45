"""Mail through an SMTP relay (RFC 5321), with delivery reports where it offers them (RFC 3461)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime

import aiosmtplib

from broadcaster.errors import InputError, UnauthenticatedError, UnavailableError
from broadcaster.ports import (
    Accepted,
    CallbackResult,
    Capabilities,
    Deferred,
    Driver,
    Envelope,
    GatewaySettings,
    Inbox,
    Journal,
    Medium,
    Outcome,
    Rejected,
    Unknown,
)
from channels.email.answer import is_answer, redacted, refused
from channels.email.bounce import receipts_in
from channels.email.channel import address, check, international
from channels.email.dialling import REMEDY, dial
from channels.email.settings import SmtpSettings
from channels.email.wire import compose, message_id, verp, xtext

BATCH_MAX = 100  # mails go one after the other: a small batch leaves the slot free for a graver alert
LOST_AFTER = 1.0  # s until a mail that was not sent is tried again on a new connection
DOWN_AFTER = 15.0  # s until a server that does not answer is asked again
FAREWELL = 5.0  # s for QUIT
CLOSING = 421  # the server ends the connection (RFC 5321 3.8)

Now = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class SmtpDriver:
    """One connection to the relay, kept open between batches; opened anew when the relay has closed it."""

    def __init__(self, settings: SmtpSettings, journal: Journal, now: Now = _now) -> None:
        self.capabilities = Capabilities(
            receipts=settings.options.bounce_token is not None, replies=False, window=1, batch_max=BATCH_MAX
        )
        self._settings = settings
        self._journal = journal
        self._now = now
        self._client: aiosmtplib.SMTP | None = None
        self._opened = False
        self._down: tuple[float, str] = (0.0, "")
        self._turn = asyncio.Lock()

    async def open(self, inbox: Inbox) -> None:  # noqa: ARG002 - reports come by `/callbacks/<gateway>`
        """Connect, secure and sign in; `UnavailableError` says which of them failed."""
        async with self._turn:
            self._drop()
            self._down = (0.0, "")
            await self._connected()
            self._opened = True

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """Send each mail once, one after the other."""
        for envelope in batch:
            async with self._turn:
                outcome = await self._sent(envelope)
            yield outcome

    async def close(self) -> None:
        """Let the mail in flight finish, say QUIT, disconnect; the rest of the batch is deferred."""
        self._opened = False
        async with self._turn:
            client = self._client
            if client is not None and client.is_connected:
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit(timeout=FAREWELL)
            self._drop()

    async def _sent(self, envelope: Envelope) -> Outcome:
        if not self._opened:
            return Deferred(envelope.key, "邮件网关未连接", LOST_AFTER)
        try:
            check(envelope.message)
            return await self._attempted(envelope, address(envelope.address))
        except InputError as problem:
            return Rejected(envelope.key, problem.what)

    async def _attempted(self, envelope: Envelope, recipient: str) -> Outcome:
        key = envelope.key
        try:
            client = await self._with_envelope(envelope, recipient)
        except UnavailableError as problem:
            return Deferred(key, problem.what, DOWN_AFTER)
        except aiosmtplib.SMTPNotSupported:
            return Rejected(key, "本邮件网关不支持国际化邮箱地址")
        except aiosmtplib.SMTPResponseException as answer:
            return await self._refused(envelope, answer)
        except (aiosmtplib.SMTPException, OSError) as lost:
            return self._lost(Deferred(key, "与邮件服务器的连接中断，邮件未发出", LOST_AFTER), lost)
        except asyncio.CancelledError:
            self._drop()
            raise
        return await self._delivered(client, envelope, recipient)

    async def _with_envelope(self, envelope: Envelope, recipient: str) -> aiosmtplib.SMTP:
        """A connection that has taken MAIL and RCPT; a relay that hung up while idle is called once more."""
        reused = self._client is not None and self._client.is_connected
        client = await self._connected()
        try:
            await self._envelope(client, envelope, recipient)
        except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
            if not reused:
                raise
        except aiosmtplib.SMTPResponseException as answer:
            if not reused or answer.code != CLOSING:
                raise
        else:
            return client
        self._drop()
        client = await self._connected()
        await self._envelope(client, envelope, recipient)
        return client

    async def _envelope(self, client: aiosmtplib.SMTP, envelope: Envelope, recipient: str) -> None:
        sealed = self._settings.seal.write(envelope.key)
        return_path = self._settings.return_path
        sender = verp(return_path, sealed) if return_path else self._settings.sender
        mail_options: list[str] = []
        recipient_options: list[str] = []
        encoding = "ascii"
        if international(recipient):
            if not client.supports_extension("smtputf8"):
                raise aiosmtplib.SMTPNotSupported("SMTPUTF8")
            mail_options.append("SMTPUTF8")
            encoding = "utf-8"
        if client.supports_extension("8bitmime") and encoding == "utf-8":
            mail_options.append("BODY=8BITMIME")
        if client.supports_extension("dsn"):
            wanted = "SUCCESS,FAILURE,DELAY" if self.capabilities.receipts else "FAILURE"
            mail_options += ["RET=HDRS", f"ENVID={xtext(sealed)}"]
            recipient_options.append(f"NOTIFY={wanted}")
            if recipient.isascii():
                recipient_options.append(f"ORCPT=rfc822;{xtext(recipient)}")
        self._journal.note("→", f"MAIL RCPT {envelope.key} {' '.join(mail_options)}".rstrip())
        await client.mail(sender, options=mail_options, encoding=encoding)
        await client.rcpt(recipient, options=recipient_options, encoding=encoding)

    async def _delivered(self, client: aiosmtplib.SMTP, envelope: Envelope, recipient: str) -> Outcome:
        """DATA: from here on, silence or a broken connection leaves it open whether the relay has the mail."""
        content = compose(envelope, recipient, self._settings, self._now())
        try:
            answer = await client.data(content, timeout=self._settings.options.data_timeout)
        except aiosmtplib.SMTPResponseException as refusal:
            return await self._refused(envelope, refusal, after_content=True)
        except (aiosmtplib.SMTPException, OSError) as lost:
            return self._lost(Unknown(envelope.key, "连接在邮件服务器答复前中断"), lost)
        except asyncio.CancelledError:
            self._drop()
            raise
        self._journal.note("←", f"{envelope.key} {answer.code} {redacted(answer.message)}")
        return Accepted(envelope.key, message_id(envelope, recipient, self._settings))

    async def _refused(
        self, envelope: Envelope, answer: aiosmtplib.SMTPResponseException, *, after_content: bool = False
    ) -> Outcome:
        key = envelope.key
        if not is_answer(answer.code) or answer.code < 400:
            reason = "邮件服务器的答复不合协议"
            return self._lost(Unknown(key, reason) if after_content else Deferred(key, reason, DOWN_AFTER), answer)
        self._journal.note("←", f"{key} {answer.code} {redacted(answer.message)}")
        if answer.code == CLOSING:
            self._drop()
        else:
            await self._reset()
        return refused(key, answer.code, answer.message)

    async def _reset(self) -> None:
        """Forget the refused mail's envelope; a relay that cannot is left."""
        try:
            if self._client is not None:
                await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._drop()

    def _lost(self, outcome: Outcome, problem: Exception) -> Outcome:
        self._journal.note("!", f"{outcome.key} {redacted(str(problem)) or type(problem).__name__}")
        if isinstance(problem, TimeoutError):  # the next mail would wait as long, for nothing
            self._down = (asyncio.get_running_loop().time() + DOWN_AFTER, "邮件服务器没有在规定时间内答复")
        self._drop()
        return outcome

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        loop = asyncio.get_running_loop()
        until, reason = self._down
        if loop.time() < until:  # a whole batch must not wait for the same dead server, mail by mail
            raise UnavailableError(reason, remedy=REMEDY)
        self._drop()
        try:
            self._client = await dial(self._settings, self._journal)
        except UnavailableError as problem:
            self._down = (loop.time() + DOWN_AFTER, problem.what)
            raise
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


class SmtpPlugin:
    """`email.smtp`: builds drivers, and takes the bounces that the mail server posts."""

    name = "smtp"
    channel = Medium.EMAIL

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one connection; `SettingsError` when the options are wrong."""
        return SmtpDriver(SmtpSettings.read(gateway), journal)

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        """One mail from the bounce mailbox (message/rfc822), shown with the token as bearer or as `?token=`."""
        settings = SmtpSettings.read(gateway)
        expected = settings.options.bounce_token
        shown = headers.get("authorization", "").removeprefix("Bearer ") or query.get("token", "")
        if expected is None or not hmac.compare_digest(shown.encode(), expected.encode()):
            raise UnauthenticatedError("退信回调的令牌不对。", remedy="请核对网关的 bounce_token。")
        receipts = receipts_in(body, _now(), settings.seal)
        return CallbackResult(receipts, (), 200, "text/plain", b"ok\n")


plugin = SmtpPlugin()
