"""Connecting to a mail server: dial, secure, sign in; and why it failed, in the words of whoever has to mend it."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiosmtplib

from broadcaster.errors import UnavailableError
from broadcaster.ports import Journal
from channels.email.answer import is_answer, reason_of
from channels.email.line import Line
from channels.email.settings import SmtpSettings
from channels.redaction import redacted

REMEDY = "请检查网关的 host、port、tls、user、password，以及网络和防火墙。"


async def dial(settings: SmtpSettings, journal: Journal) -> Line:
    """A connection that is ready for mails. Raises `UnavailableError`."""
    options = settings.options
    client = aiosmtplib.SMTP(
        hostname=options.host,
        port=settings.port,
        username=options.user or None,
        password=options.password or None,
        local_hostname=options.hostname or socket.gethostname(),
        timeout=options.timeout,
        use_tls=options.tls == "implicit",
        start_tls=options.tls == "starttls",
        tls_context=settings.tls_context,
    )
    try:
        greeting = await client.connect()
        await _greet(client)
        line = _line(client)
    except asyncio.CancelledError:
        client.close()
        raise
    except (aiosmtplib.SMTPException, OSError) as problem:
        client.close()
        why = failure(problem)
        journal.note("!", f"{options.host}:{settings.port} {why}")
        raise UnavailableError(f"邮件服务器 {options.host}：{why}。", remedy=REMEDY) from problem
    journal.note("←", f"{greeting.code} {redacted(greeting.message)}")
    return line


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO now, not with the first mail: what the server offers decides how that mail is sent."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()


def _line(client: aiosmtplib.SMTP) -> Line:
    """The client's connection, taken out of its hands: it waits for each answer before it writes on."""
    transport = client.transport
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        raise aiosmtplib.SMTPServerDisconnected("closed after the greeting")
    line = Line(client.esmtp_extensions)
    line.take_over(transport)
    return line


def failure(problem: Exception) -> str:
    """What went wrong while connecting; no secret, no address."""
    cause = problem.__cause__ or problem
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        return _answered(problem)
    if isinstance(problem, TimeoutError):
        return "没有在规定时间内答复"
    if isinstance(cause, ssl.SSLError):
        return f"加密连接失败（{redacted(str(cause))}）"
    if isinstance(problem, aiosmtplib.SMTPServerDisconnected):
        return "接通后立即挂断"
    if isinstance(problem, OSError):
        return f"连接不上（{redacted(str(problem))}）"
    return f"不支持所要求的功能（{redacted(str(problem))}）"


def _answered(answer: aiosmtplib.SMTPResponseException) -> str:
    if not is_answer(answer.code):
        return "答复不合协议，可能不是邮件服务器"
    said = reason_of(answer.code, answer.message)
    return (
        f"登录被拒绝（{said}）" if isinstance(answer, aiosmtplib.SMTPAuthenticationError) else f"拒绝了连接（{said}）"
    )
