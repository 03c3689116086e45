"""A mail relay in its own process: takes delivery-report parameters (aiosmtpd refuses them), misbehaves on demand.

The recipient decides the answer: `answer-550-5.1.1@…` is answered so at RCPT, `content-452-4.3.1@…` after the content.
Control is by verbs of its own on any connection: `XPLAY <mood>`, `XTAKEN` (one JSON line per mail), `XCUT`, and
`XBACK <port>`: hand what comes back (a delivery report where one was asked for, what `XSAY` was told) to that port by
LMTP, again and again until it is taken; `XOWED` says how much is not.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXTENSIONS = ("SIZE 1000000", "8BITMIME", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")
USER, PASSWORD = "daohu", "correct horse"
SLOW = 0.1
_ORDER = re.compile(r"<(answer|content)-(\d{3})(?:-([0-9.]+))?@")


class Relay:
    """What the relay has taken and how it behaves; `extensions` are offered besides the usual ones."""

    def __init__(self, extensions: list[str]) -> None:
        self.extensions = [*EXTENSIONS, *extensions]
        self.mood = "willing"
        self.taken: list[dict[str, Any]] = []
        self.open: set[asyncio.StreamWriter] = set()
        self.back = 0
        self.owed: set[asyncio.Task[None]] = set()

    def hand_back(self, to: str, mail: str) -> None:
        task = asyncio.create_task(hand_over(self.back, to, mail))
        self.owed.add(task)
        task.add_done_callback(self.owed.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


class Session:
    """One connection."""

    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.relay = relay
        self.reader = reader
        self.writer = writer
        self.mail: dict[str, Any] = {}
        self.order = ""
        self.signed_in = False

    async def run(self) -> None:
        if self.relay.mood == "closed":
            await self.say("554 5.3.2 no service here")
            return
        await self.say("220 relay.example ESMTP")
        while line := (await self.reader.readline()).decode("utf-8", "replace").rstrip("\r\n"):
            if not await self.obey(line):
                return

    async def obey(self, line: str) -> bool:
        verb = line.split(maxsplit=1)[0].upper()
        handler = getattr(self, f"do_{verb.lower()}", None)
        if self.relay.mood == "babbling" and verb in ("MAIL", "RCPT", "DATA"):
            await self.say("<html>what?</html>")
            return True
        if handler is None:
            await self.say("500 5.5.1 no such verb")
            return True
        return await handler(line) is not False

    async def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    async def do_ehlo(self, _line: str) -> None:
        names = ["relay.example", *self.relay.extensions]
        await self.say(*(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}")

    async def do_auth(self, line: str) -> None:
        given = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
        self.signed_in = given == [USER, PASSWORD]
        await self.say("235 2.7.0 welcome" if self.signed_in else "535 5.7.8 wrong password for someone@example.org")

    async def do_mail(self, line: str) -> None:
        path, *options = line.partition(":")[2].split()
        if not set(map(_keyword, options)) <= self.known():
            await self.say("555 5.5.4 unknown parameter")
            return
        if self.mail:
            await self.say("503 5.5.1 nested MAIL command")
            return
        self.mail = {"sender": path.strip("<>"), "mail_options": options, "signed_in": self.signed_in}
        await self.say("250 2.1.0 sender ok")

    async def do_rcpt(self, line: str) -> None:
        path, *options = line.partition(":")[2].split()
        order = _ORDER.match(path)
        if self.relay.mood == "throttling":
            await self.say("451 4.7.1 try again later")
        elif order and order[1] == "answer":
            await self.say(f"{order[2]} {order[3] or ''} because of {path} ".strip())
            return
        else:
            self.order = f"{order[2]} {order[3] or ''} no" if order else ""
            self.mail |= {"recipient": path.strip("<>"), "rcpt_options": options}
            await self.say("250 2.1.5 recipient ok")

    async def do_data(self, _line: str) -> bool:
        if "recipient" in self.mail:
            await self.say("354 go ahead")
            return await self.take()
        if self.relay.mood == "lenient":
            await self.say("354 go ahead")
            assert await self.reader.readline() == b".\r\n"
        await self.say("554 5.5.1 no valid recipients")
        return True

    async def take(self) -> bool:
        content = await self.reader.readuntil(b"\r\n.\r\n")
        mail, self.mail = self.mail, {}
        if self.order:
            await self.say(self.order)
            return True
        self.relay.taken.append(mail | {"content": content[:-3].replace(b"\r\n..", b"\r\n.").decode()})
        if self.relay.back and "NOTIFY=SUCCESS" in " ".join(mail["rcpt_options"]):
            self.relay.hand_back(mail["sender"], report(mail))
        match self.relay.mood:
            case "cutting":
                return False
            case "silent":  # for good: what was written behind the content is not answered either
                await self.reader.read()
                return False
            case "slow":
                await asyncio.sleep(SLOW)
            case "babbling-after-content":
                await self.say("<html>what?</html>")
                return True
            case "hanging-up":
                await self.say("250 2.0.0 taken", "421 4.3.2 I am leaving")
                return False
        await self.say("250 2.0.0 taken as 4711")
        return True

    async def do_rset(self, _line: str) -> None:
        self.mail = {}
        await self.say("250 2.0.0 forgotten")

    async def do_quit(self, _line: str) -> bool:
        await self.say("221 2.0.0 bye")
        return False

    async def do_xplay(self, line: str) -> None:
        self.relay.mood = line.split()[1]
        if self.relay.mood == "closed":
            self.hang_up_on_the_others()
        await self.say("250 ok")

    async def do_xtaken(self, _line: str) -> None:
        await self.say(str(len(self.relay.taken)), *(json.dumps(mail) for mail in self.relay.taken))

    async def do_xback(self, line: str) -> None:
        self.relay.back = int(line.split()[1])
        for task in self.relay.owed:
            task.cancel()
        await self.say("250 ok")

    async def do_xsay(self, line: str) -> None:
        _, to, mail = line.split(maxsplit=2)
        self.relay.hand_back(to, json.loads(mail))
        await self.say("250 ok")

    async def do_xowed(self, _line: str) -> None:
        await self.say("1", str(len(self.relay.owed)))

    async def do_xcut(self, _line: str) -> None:
        self.hang_up_on_the_others()
        await self.say("250 cut")

    def hang_up_on_the_others(self) -> None:
        for writer in self.relay.open - {self.writer}:
            writer.transport.abort()

    def known(self) -> set[str]:
        offered = " ".join(self.relay.extensions).upper()
        known = {"SIZE", "BODY"}
        if "DSN" in offered:
            known |= {"RET", "ENVID"}
        if "SMTPUTF8" in offered:
            known.add("SMTPUTF8")
        return known


async def hand_over(port: int, to: str, mail: str) -> None:
    """Deliver by LMTP, as often as it takes."""
    script = [b"LHLO relay.example", b"MAIL FROM:<>", f"RCPT TO:<{to}>".encode(), b"DATA"]
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await answered(reader)
                for line in [*script, mail.replace("\n", "\r\n").encode() + b"\r\n."]:
                    writer.write(line + b"\r\n")
                    said = await answered(reader)
                if said.startswith("250"):
                    return
            finally:
                writer.close()
        except OSError:
            pass
        await asyncio.sleep(SLOW)


async def answered(reader: asyncio.StreamReader) -> str:
    while (line := (await reader.readline()).decode())[3:4] == "-":
        pass
    if not line:
        raise ConnectionResetError
    return line


def report(mail: dict[str, Any]) -> str:
    envelope = next(option for option in mail["mail_options"] if option.startswith("ENVID="))
    return (
        f"From: MAILER-DAEMON@relay.example\nTo: {mail['sender']}\nSubject: Successful Mail Delivery Report\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="=b"\n\n'
        "--=b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n"
        f"Original-Envelope-Id: {envelope.removeprefix('ENVID=')}\n\n"
        f"Final-Recipient: rfc822; {mail['recipient']}\nAction: delivered\nStatus: 2.0.0\n--=b--\n"
    )


def _keyword(option: str) -> str:
    return option.partition("=")[0].upper()


async def main() -> None:
    relay = Relay(sys.argv[1:])
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - that is how the parent learns the port
    await server.serve_forever()


class RelayProcess:
    """The running relay, as tests see it."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def play(self, mood: str) -> None:
        await self._told(f"XPLAY {mood}")

    async def cut(self) -> None:
        """Break every connection now."""
        await self._told("XCUT")

    async def hand_back(self, port: int) -> None:
        """Hand over to that port what comes back from now on; what nobody took at another is forgotten."""
        await self._told(f"XBACK {port}")

    async def say(self, to: str, mail: str) -> None:
        """Hand over a mail to an address of ours."""
        await self._told(f"XSAY {to} {json.dumps(mail)}")

    async def owed(self) -> int:
        """What comes back and was not taken yet."""
        return int((await self._told("XOWED"))[0])

    async def taken(self) -> list[dict[str, Any]]:
        """Every mail it took: sender, recipient, options of MAIL and RCPT, content."""
        return [json.loads(line) for line in await self._told("XTAKEN")]

    async def _told(self, order: str) -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        try:
            await reader.readline()
            writer.write(f"{order}\r\n".encode())
            first = (await reader.readline()).decode()
            count = 0 if first.startswith("250") else int(first)
            return [(await reader.readline()).decode() for _ in range(count)]
        finally:
            writer.close()
            await writer.wait_closed()


@contextmanager
def running_relay(*extensions: str) -> Iterator[RelayProcess]:
    """A relay that offers `extensions`, such as DSN and SMTPUTF8."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.harness.mail_relay", *extensions]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield RelayProcess(int(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main())
