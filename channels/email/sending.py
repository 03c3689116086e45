"""One connection's mails: each is begun while the one before it is being taken (RFC 2920).

A mail's content and the next mail's MAIL, RCPT and DATA go out together, so that a mail costs one journey to the server
and back. A server that does not offer PIPELINING is asked one thing at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Accepted, Deferred, Envelope, Journal, Outcome, Rejected, Unknown
from channels.email.answer import CLOSING, NONSENSE, is_answer, recipient_refused, refused, sender_refused
from channels.email.channel import address, check, international
from channels.email.dialling import REMEDY, dial
from channels.email.line import Answer, Line, LostError
from channels.email.mould import Mould
from channels.email.settings import SmtpSettings
from channels.email.wire import verp, xtext
from channels.redaction import redacted

LOST_AFTER = 1.0  # s until a mail that was not sent is tried again on a new connection
DOWN_AFTER = 15.0  # s until a server that does not answer is asked again
FAREWELL = 5.0  # s for QUIT
GO_AHEAD = 354

RESET, DATA, END = b"RSET\r\n", b"DATA\r\n", b".\r\n"
WIDE = "本邮件网关不支持国际化邮箱地址"
CUT = "与邮件服务器的连接中断，邮件未发出"
NO_SMTP = "邮件服务器的答复不合协议"
SILENT = "邮件服务器没有在规定时间内答复"


_CLASSIFY = (sender_refused, recipient_refused, refused)
"""What a refusal of MAIL, RCPT and DATA means."""


@dataclass(slots=True, eq=False)
class Mail:
    """A mail that is ready to go."""

    envelope: Envelope
    recipient: str
    ref: str
    content: bytes


class Sending:
    """Sends over one connection, kept open; a new one is made when the server has ended it. One batch at a time."""

    def __init__(
        self, settings: SmtpSettings, journal: Journal, now: Callable[[], datetime], *, receipts: bool
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._now = now
        self._notify = "NOTIFY=SUCCESS,FAILURE,DELAY" if receipts else "NOTIFY=FAILURE"
        self._mould = Mould(settings)
        self._line: Line | None = None
        self._unfinished = False
        self._down: tuple[float, str] = (0.0, "")
        self.opened = False

    async def open(self) -> None:
        """Connect, secure and sign in, at once; `UnavailableError` says which of them failed."""
        self.drop()
        self._down = (0.0, "")
        await self._connected()
        self.opened = True

    async def run(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope. Whoever leaves in the middle leaves a connection that is given up."""
        begun: Mail | None = None
        try:
            for envelope in batch:
                mail = self._ready(envelope)
                if not isinstance(mail, Mail):
                    yield mail
                    continue
                outcomes, begun = await self._exchange(begun, mail)
                for outcome in outcomes:
                    yield outcome
            outcomes, begun = await self._exchange(begun, None)
            for outcome in outcomes:
                yield outcome
        finally:
            if begun is not None or self._unfinished:
                self.drop()

    async def quit(self) -> None:
        """Say good-bye."""
        line = self._line
        if line is not None and line.alive:
            with contextlib.suppress(OSError, TimeoutError):
                line.write(b"QUIT\r\n", 1)
                await line.answer(FAREWELL)
        self.drop()

    def drop(self) -> None:
        """Hang up."""
        line, self._line, self._unfinished = self._line, None, False
        if line is not None:
            line.end()

    def _ready(self, envelope: Envelope) -> Mail | Outcome:
        if not self.opened:
            return Deferred(envelope.key, "邮件网关未连接", LOST_AFTER)
        try:
            check(envelope.message)
            recipient = address(envelope.address)
        except InputError as problem:
            return Rejected(envelope.key, problem.what)
        name = self._mould.message_id(envelope, recipient)
        content = self._mould.cast(envelope, recipient, name, self._now())
        if b"\r\n." in content:  # RFC 5321 4.5.2; what the mould makes has none
            content = content.replace(b"\r\n.", b"\r\n..")
        return Mail(envelope, recipient, name, content)

    async def _exchange(self, begun: Mail | None, following: Mail | None) -> tuple[list[Outcome], Mail | None]:
        """Write the content of the mail that was `begun`, and begin the `following` one: what became of them, and the
        mail whose content is waited for now."""
        outcomes: list[Outcome] = []
        asked: tuple[bytes, ...] = ()
        if begun is not None:
            line = self._line
            if following is not None and line is not None and line.pipelining:
                commands = self._commands(line, following)
                asked = commands if isinstance(commands, tuple) else ()
            outcomes.append(await self._finish(begun, asked))
            if line is not self._line:
                asked = ()
        if following is None:
            return outcomes, None
        outcome = await self._begin(following, asked)
        if outcome is None:
            return outcomes, following
        return [*outcomes, outcome], None

    async def _finish(self, mail: Mail, commands: tuple[bytes, ...]) -> Outcome:
        """Send the content, with the next mail's commands behind it: from here on, silence or a broken connection
        leaves it open whether the server has the mail."""
        key, line = mail.envelope.key, self._line
        if line is None or not line.alive:
            return self._lost(Deferred(key, CUT, LOST_AFTER), LostError("closed"))
        self._unfinished = True
        try:
            line.write(b"".join((mail.content, END, *commands)), 1 + len(commands))
            answer = await line.answer(self._settings.options.data_timeout)
        except (LostError, TimeoutError) as problem:
            return self._lost(Unknown(key, "连接在邮件服务器答复前中断"), problem)
        self._unfinished = bool(commands)
        line.served += 1
        if 200 <= answer.code < 300:
            self._journal.note("←", f"{key} {answer.code} {redacted(answer.text)}")
            return Accepted(key, mail.ref)
        return self._refused(Unknown(key, NO_SMTP), answer, refused)

    async def _begin(self, mail: Mail, asked: tuple[bytes, ...]) -> Outcome | None:
        """MAIL, RCPT and DATA, unless they were `asked` already; None when the server waits for the content. One that
        hung up after earlier mails is called once more."""
        outcome, repeat = await self._attempt(mail, asked)
        return (await self._attempt(mail, ()))[0] if repeat else outcome

    async def _attempt(self, mail: Mail, asked: tuple[bytes, ...]) -> tuple[Outcome | None, bool]:
        """What `_begin` does, once; and whether it is worth another try, on a new connection."""
        key = mail.envelope.key
        try:
            line = await self._connected()
        except UnavailableError as problem:
            return Deferred(key, problem.what, DOWN_AFTER), False
        commands = asked or self._commands(line, mail)
        if not isinstance(commands, tuple):
            return commands, False
        self._unfinished = True
        try:
            if line.pipelining and not asked:
                line.write(b"".join(commands), len(commands))
            step, refusal = await self._refusal(line, commands)
        except LostError as lost:
            return self._lost(Deferred(key, CUT, LOST_AFTER), lost), line.served > 0
        except TimeoutError as silence:
            return self._lost(Deferred(key, SILENT, LOST_AFTER), silence), False
        self._unfinished = False
        if refusal is None:
            return None, False
        line.dirty = True
        classify = _CLASSIFY[step]
        outcome = self._refused(Deferred(key, NO_SMTP, DOWN_AFTER), refusal, classify)
        return outcome, line.served > 0 and refusal.code == CLOSING

    async def _refusal(self, line: Line, commands: tuple[bytes, ...]) -> tuple[int, Answer | None]:
        """The first answer that says no, and to which command (0: MAIL); all that were written are answered first."""
        timeout, found = self._settings.options.timeout, None
        resets = commands[0] is RESET
        for number, command in enumerate(commands, -1 if resets else 0):
            if not line.pipelining:
                line.write(command, 1)
            answer = await line.answer(timeout)
            if command is RESET:
                line.dirty = not 200 <= answer.code < 300
                if line.dirty:
                    raise LostError("RSET refused")
            elif answer.code == GO_AHEAD and command is DATA:
                if found is not None:  # it took no recipient and yet wants the content (RFC 2920 3.1)
                    line.write(END, 1)
                    await line.answer(timeout)
            elif (command is DATA or not 200 <= answer.code < 300) and found is None:
                found = (number, answer)
                if not line.pipelining or answer.code in (CLOSING, NONSENSE):
                    break
        return found or (0, None)

    def _commands(self, line: Line, mail: Mail) -> tuple[bytes, ...] | Outcome:
        """What is said before the content; an outcome when this server cannot be given the mail at all."""
        settings, key, offered = self._settings, mail.envelope.key, line.extensions
        sealed = settings.seal.write(key)
        sender = verp(settings.return_path, sealed) if settings.return_path else settings.sender
        begin, to = f"MAIL FROM:<{sender}>", f"RCPT TO:<{mail.recipient}>"
        if "size" in offered:
            most = offered["size"].strip()
            if most.isdecimal() and 0 < int(most[:18]) < len(mail.content):
                return Rejected(key, f"邮件太大：{len(mail.content)} 字节，邮件服务器最多收 {most[:18]} 字节")
            begin += f" SIZE={len(mail.content)}"
        if international(mail.recipient):
            if "smtputf8" not in offered:
                return Rejected(key, WIDE)
            begin += " SMTPUTF8 BODY=8BITMIME" if "8bitmime" in offered else " SMTPUTF8"
        if "dsn" in offered:
            begin += f" RET=HDRS ENVID={xtext(sealed)}"
            to += f" {self._notify}"
            if mail.recipient.isascii():
                to += f" ORCPT=rfc822;{xtext(mail.recipient)}"
        commands = f"{begin}\r\n".encode(), f"{to}\r\n".encode(), DATA
        return (RESET, *commands) if line.dirty else commands

    def _refused(self, nonsense: Outcome, answer: Answer, classify: Callable[..., Deferred | Rejected]) -> Outcome:
        """What a refusal means; `nonsense` is what it is when it is no answer at all."""
        key = nonsense.key
        if not is_answer(answer.code) or answer.code < 400:
            return self._lost(nonsense, LostError(answer.text))
        self._journal.note("←", f"{key} {answer.code} {redacted(answer.text)}")
        if answer.code == CLOSING:
            self.drop()
        return classify(key, answer.code, answer.text)

    def _lost(self, outcome: Outcome, problem: OSError) -> Outcome:
        self._journal.note("!", f"{outcome.key} {redacted(str(problem)) or type(problem).__name__}")
        if isinstance(problem, TimeoutError):  # the next mail would wait as long, for nothing
            self._down = (asyncio.get_running_loop().time() + DOWN_AFTER, SILENT)
        self.drop()
        return outcome

    async def _connected(self) -> Line:
        if self._line is not None and self._line.alive:
            return self._line
        loop = asyncio.get_running_loop()
        until, reason = self._down
        if loop.time() < until:  # a whole batch must not wait for the same dead server, mail by mail
            raise UnavailableError(reason, remedy=REMEDY)
        self.drop()
        try:
            self._line = await dial(self._settings, self._journal)
        except UnavailableError as problem:
            self._down = (loop.time() + DOWN_AFTER, problem.what)
            raise
        return self._line
