"""The front of a mail server: SMTP (RFC 5321), sign-in (4954), delivery reports (3461), names in any script (6531).

Without TLS: it listens for this machine alone.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.front import WRONG_PASSWORD, Front, FrontError
from broadcaster.rehearsal.fronts.line import words
from broadcaster.rehearsal.fronts.mailing import STATUS, Envelope, Letter, opened, unxtext
from broadcaster.rehearsal.fronts.postman import Postman
from broadcaster.rehearsal.judge import BAD_ADDRESS, FAR, Batch
from broadcaster.rehearsal.names import Words
from broadcaster.rehearsal.reading import read
from broadcaster.rehearsal.script import MailFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

LONGEST_LINE = 4096
LARGEST = 4 * 1024 * 1024
"""Octets of a command line and of a mail."""

EXTENSIONS = (
    f"SIZE {LARGEST}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "PIPELINING", "AUTH PLAIN LOGIN",
)  # fmt: skip
ANYBODY = "mail"
"""The account of those who do not sign in."""

MAIL_WORDS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"})
RCPT_WORDS = frozenset({"NOTIFY", "ORCPT"})
END = b"\r\n.\r\n"


class MailFront(Front[str]):
    """One connection; what came together is one mail, whose name in the queue the answer gives."""

    protocol: ClassVar[str] = "smtp"
    garbage: ClassVar[bytes] = b"<html>502 Bad Gateway</html>\r\n"

    def __init__(self, stage: Stage, number: int, postman: Postman) -> None:
        super().__init__(stage, number)
        self._postman = postman
        self._buffer = bytearray()
        self._searched = 0
        self._in_data = False
        self._waiting = False
        self._envelope: Envelope | None = None
        self._asking: list[str] = []
        self._verbs: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "AUTH": self._auth, "MAIL": self._mail, "RCPT": self._rcpt,
            "DATA": self._data, "RSET": self._rset, "NOOP": self._noop, "VRFY": self._vrfy, "QUIT": self._quit,
        }  # fmt: skip

    def connection_made(self, transport: object) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._say("220 rehearsal.invalid ESMTP")

    def hear(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > LARGEST + LONGEST_LINE:
            raise FrontError("more than one mail at a time")
        while not (self._waiting or self.mute or self.leaving):
            if self._in_data:
                if not self._end_data():
                    return
                continue
            end = self._buffer.find(b"\r\n")
            if end < 0 or end > LONGEST_LINE:
                if len(self._buffer) > LONGEST_LINE:
                    raise FrontError("a line that does not end")
                return
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            self._obey(line.decode("utf-8", "replace"))

    def complain(self, problem: FrontError) -> None:
        self._say(f"500 5.5.2 {problem}")

    def answer(self, frame: str, answers: list[AnswerRow]) -> None:
        ((_, verdict, detail, _),) = answers
        if verdict == ACCEPTED:
            self._say(f"250 2.0.0 queued as {frame}")
        elif verdict == DEFERRED:
            self._say("451 4.3.2 too much at the moment")
        else:
            self._say(refused(detail))
        self._waiting = False
        self.loop.call_soon(self.data_received, b"")

    def say_bye(self) -> None:
        self._say("221 2.0.0 good-bye")
        if self.transport is not None:
            self.transport.close()

    def _say(self, *lines: str) -> None:
        *before, last = lines
        words = [f"{line[:3]}-{line[4:]}" for line in before] + [last]
        self.send("".join(f"{word}\r\n" for word in words).encode())

    def _obey(self, line: str) -> None:
        if self._asking:
            self._go_on_asking(line)
            return
        verb, _, rest = line.partition(" ")
        do = self._verbs.get(verb.upper())
        if do is None:
            self._say("500 5.5.1 no such command")
        else:
            do(rest.strip())

    def _ehlo(self, _: str) -> None:
        self._envelope = None
        self._say("250 rehearsal.invalid", *(f"250 {one}" for one in EXTENSIONS))

    def _helo(self, _: str) -> None:
        self._envelope = None
        self._say("250 rehearsal.invalid")

    def _noop(self, _: str) -> None:
        self._say("250 2.0.0 ok")

    def _vrfy(self, _: str) -> None:
        self._say("252 2.1.5 try it")

    def _rset(self, _: str) -> None:
        self._envelope = None
        self._say("250 2.0.0 forgotten")

    def _quit(self, _: str) -> None:
        self.leave()

    def _auth(self, rest: str) -> None:
        how, _, initial = rest.partition(" ")
        if self.account is not None:
            self._say("503 5.5.1 you are signed in")
        elif how.upper() == "PLAIN" and initial:
            self._plain(initial)
        elif how.upper() == "PLAIN":
            self._asking = ["PLAIN"]
            self._say("334 ")
        elif how.upper() == "LOGIN":
            self._asking = ["LOGIN"]
            if initial:
                self._go_on_asking(initial)
            else:
                self._say("334 VXNlcm5hbWU6")
        else:
            self._say("504 5.5.4 PLAIN or LOGIN")

    def _go_on_asking(self, line: str) -> None:
        if line == "*":
            self._asking = []
            self._say("501 5.7.0 as you wish")
        elif self._asking == ["PLAIN"]:
            self._asking = []
            self._plain(line)
        elif len(self._asking) == 1:
            self._asking.append(line)
            self._say("334 UGFzc3dvcmQ6")
        else:
            user, self._asking = self._asking[1], []
            self._sign_in(_decoded(user), _decoded(line))

    def _plain(self, written: str) -> None:
        _, _, rest = _decoded(written).partition("\0")
        user, _, password = rest.partition("\0")
        self._sign_in(user, password)

    def _sign_in(self, user: str, shown: str) -> None:
        if not user:
            self._say("535 5.7.8 no")
        elif self._admitted(user, shown):
            self._say("235 2.7.0 welcome")

    def _admitted(self, user: str, shown: str) -> bool:
        """Whether the client is in now; if not, it was told why, or hears nothing at all."""
        refusal = self.admit(
            user, Medium.EMAIL, lambda password: hmac.compare_digest(password.encode(), shown.encode()), words
        )
        if refusal == WRONG_PASSWORD:
            self._say("535 5.7.8 no")
        elif refusal:
            self._say(f"421 4.7.0 {refusal}")
            if self.transport is not None:
                self.transport.close()
        elif self.account is not None:
            if self._postman.works:
                self._postman.serve(self.account)
            return True
        return False

    def _mail(self, rest: str) -> None:
        path, said = _path(rest, "FROM:")
        if path is None or not said.keys() <= MAIL_WORDS:
            self._say("555 5.5.4 what?" if path is not None else "501 5.5.4 MAIL FROM:<…>")
        elif self.account is not None or self._admitted(ANYBODY, ""):
            self._envelope = Envelope(path, envelope_id=unxtext(said.get("ENVID", "")))
            self._say("250 2.1.0 ok")

    def _rcpt(self, rest: str) -> None:
        path, said = _path(rest, "TO:")
        if path is None or not said.keys() <= RCPT_WORDS:
            self._say("555 5.5.4 what?" if path is not None else "501 5.5.4 RCPT TO:<…>")
        elif self._envelope is None or self.account is None:
            self._say("503 5.5.1 MAIL first")
        elif self._envelope.recipient:
            self._say("452 4.5.3 one at a time")
        elif why := self.account.refusal(path):
            self._say(refused(why))
        else:
            notify = frozenset(said["NOTIFY"].upper().split(",")) if "NOTIFY" in said else self._envelope.notify
            self._envelope = replace(self._envelope, recipient=path, notify=notify)
            self._say("250 2.1.5 ok")

    def _data(self, _: str) -> None:
        if self._envelope is None or not self._envelope.recipient:
            self._say("503 5.5.1 MAIL and RCPT first")
            return
        self._in_data = True
        self._buffer[:0] = b"\r\n"
        self._searched = 0
        self._say("354 go ahead")

    def _end_data(self) -> bool:
        """Take the mail if all of it is there."""
        end = self._buffer.find(END, max(0, self._searched - len(END)))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > LARGEST:
                raise FrontError("a mail that does not end")
            return False
        raw = bytes(self._buffer[2:end]).replace(b"\r\n..", b"\r\n.")
        del self._buffer[: end + len(END)]
        envelope, self._envelope, self._in_data = self._envelope, None, False
        account = self.account
        if envelope is not None and account is not None:
            self._waiting = True
            letter, arrived = opened(raw), time.time()
            names = account.names
            queued = names.messages(1)[0] if isinstance(names, Words) else ""
            self.expect(1)
            self.take(queued, 1, lambda: self._judge(account, envelope, letter, queued, arrived))
        return True

    def _judge(
        self, account: Account, envelope: Envelope, letter: Letter, queued: str, arrived: float
    ) -> list[AnswerRow]:
        if not account.let_through(1):
            return [(0, DEFERRED, "", account.wait())]
        ref = letter.message_id or f"<{queued}@rehearsal.invalid>"
        wanted = self._postman.works and (envelope.wants(good=True) or envelope.wants(good=False))
        if wanted:
            self._postman.remember(ref, envelope)
        row = (*envelope.key, envelope.recipient, 0, letter.urgency, FAR)
        batch = Batch([row], [ref], [read(letter.text, account.asks)], [int(wanted)])
        return account.take(batch, self, {}, arrived)


def refused(reason: str) -> str:
    """A reason for good, as a reply line; the script's own words where they can be said in ASCII."""
    if reason == BAD_ADDRESS:
        return "553 5.1.3 bad address"
    found = STATUS.search(reason)
    words = reason if reason.isascii() else ""
    return f"550 {words}" if found and words else f"550 5.7.1 refused {words}".rstrip()


def _path(rest: str, keyword: str) -> tuple[str | None, dict[str, str]]:
    """The address in angle brackets, and the parameters behind it, by their keywords; None without brackets."""
    if not rest.upper().startswith(keyword):
        return None, {}
    rest = rest[len(keyword) :].strip()
    if not rest.startswith("<") or ">" not in rest:
        return None, {}
    path, _, parameters = rest[1:].partition(">")
    pairs = (one.partition("=") for one in parameters.split())
    return path, {name.upper(): value for name, _, value in pairs}


def _decoded(written: str) -> str:
    try:
        return base64.b64decode(written, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage."""
    postman = Postman(settings)
    return Door(Address.parse(settings.listen), lambda: MailFront(stage, stage.next_number(), postman), postman)
