"""An IMAP mailbox (RFC 3501) into which bounces and answers are delivered: what is there is read, and removed once it
is stored.

It is looked into every so often: the standard library's client has no IDLE before Python 3.14, and a bounce is no
hurry. A mail that cannot be read, or that is none of ours, is flagged and left there for people; it is not looked at
again.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Sequence

from channels.email.letter import LONGEST
from channels.email.settings import SmtpSettings

TIMEOUT = 30.0  # s for one answer
_UID = re.compile(rb"[0-9]{1,10}")


class MailboxError(Exception):
    """The mailbox cannot be reached or used; says why, without secrets."""


class Mailbox:
    """One connection; its methods block and belong into a thread, one at a time."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._options = settings.options
        self._context = settings.imap_tls_context
        self._port = settings.imap_port
        self._client: imaplib.IMAP4 | None = None

    def waiting(self, most: int) -> list[str]:
        """The mails that nobody has looked at, the oldest first, by their numbers. `MailboxError`."""
        client = self._connected()
        try:
            client.noop()
            found = _ok(client.uid("SEARCH", "UNDELETED", "UNFLAGGED"), "SEARCH")
        except _FAULTS as problem:
            raise self._failed(problem) from problem
        return [number.decode() for piece in found if isinstance(piece, bytes) for number in _UID.findall(piece)][:most]

    def fetch(self, uid: str) -> bytes:
        """A mail as far as it is read; empty when it is gone. It is not marked as seen."""
        try:
            found = _ok(self._connected().uid("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST}>)"), "FETCH")
        except _FAULTS as problem:
            raise self._failed(problem) from problem
        return next((piece[1] for piece in found if isinstance(piece, tuple) and isinstance(piece[1], bytes)), b"")

    def remove(self, uids: Sequence[str]) -> None:
        """Take mails out: they are stored."""
        self._mark(uids, r"(\Deleted)")
        client = self._connected()
        try:
            if "UIDPLUS" in client.capabilities:
                _ok(client.uid("EXPUNGE", ",".join(uids)), "EXPUNGE")
            else:
                _ok(client.expunge(), "EXPUNGE")
        except _FAULTS as problem:
            raise self._failed(problem) from problem

    def set_aside(self, uids: Sequence[str]) -> None:
        """Leave mails to people."""
        self._mark(uids, r"(\Flagged)")

    def close(self) -> None:
        """Sign out."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*_FAULTS):
                client.logout()

    def _mark(self, uids: Sequence[str], flags: str) -> None:
        try:
            _ok(self._connected().uid("STORE", ",".join(uids), "+FLAGS.SILENT", flags), "STORE")
        except _FAULTS as problem:
            raise self._failed(problem) from problem

    def _connected(self) -> imaplib.IMAP4:
        if self._client is None:
            try:
                self._client = self._signed_in()
            except _FAULTS as problem:
                raise self._failed(problem) from problem
        return self._client

    def _signed_in(self) -> imaplib.IMAP4:
        options, host = self._options, self._options.imap_host or ""
        if options.imap_tls == "implicit":
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, self._port, ssl_context=self._context, timeout=TIMEOUT)
        else:
            client = imaplib.IMAP4(host, self._port, timeout=TIMEOUT)
        try:
            if options.imap_tls == "starttls":
                client.starttls(self._context)
            client.login(options.imap_user, options.imap_password)
            _introduce(client)
            _ok(client.select(f'"{options.imap_folder}"'), "SELECT")
        except BaseException:
            client.shutdown()
            raise
        return client

    def _failed(self, problem: Exception) -> MailboxError:
        client, self._client = self._client, None
        if client is not None:
            client.shutdown()
        return MailboxError(_why(problem))


_FAULTS = (imaplib.IMAP4.error, OSError, EOFError, ValueError)


def _introduce(client: imaplib.IMAP4) -> None:
    """Say who we are (RFC 2971): NetEase's servers close the mailbox to whoever does not."""
    imaplib.Commands.setdefault("ID", ("AUTH", "SELECTED"))
    if "ID" in client.capabilities:
        client._simple_command("ID", '("name" "daohu")')


def _ok(answer: tuple[str, Sequence[object]], command: str) -> Sequence[object]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(command)
    return answer[1]


def _why(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        return "加密连接失败"
    if isinstance(problem, TimeoutError):
        return "没有在规定时间内答复"
    if isinstance(problem, OSError):
        return f"连接不上（{problem.strerror or type(problem).__name__}）"
    said = str(problem).upper()
    if "AUTHENTICATIONFAILED" in said or "LOGIN" in said or "AUTH" in said:
        return "登录被拒绝"
    return "答复不合协议，或没有这个文件夹"
