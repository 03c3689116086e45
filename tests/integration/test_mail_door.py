"""Where the mail server hands over what comes back: LMTP and SMTP as the standard library speaks them, and worse."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import pytest

from channels.email import lmtp
from channels.email.letter import LONGEST
from channels.email.lmtp import Doorman
from channels.email.settings import Place
from tests.harness.ports import free_port, socket_folder

Found = TypeVar("Found")


class Desk:
    """What was handed over."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, Sequence[str]]] = []
        self.stores = True
        self.free = asyncio.Event()
        self.free.set()
        self.port = free_port()
        self.door = Doorman(self.take)

    async def take(self, mail: bytes, recipients: Sequence[str]) -> bool:
        await self.free.wait()
        if self.stores:
            self.taken.append((mail, recipients))
        return self.stores


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.door.open(Place("127.0.0.1", desk.port))
    yield desk
    await desk.door.close()


async def by(client: Callable[[], smtplib.SMTP], work: Callable[[smtplib.SMTP], Found]) -> Found:
    def talk() -> Found:
        with client() as open_client:
            return work(open_client)

    return await asyncio.to_thread(talk)


def speaks_lmtp(desk: Desk) -> Callable[[], smtplib.SMTP]:
    return lambda: smtplib.LMTP("127.0.0.1", desk.port)


def speaks_smtp(desk: Desk) -> Callable[[], smtplib.SMTP]:
    return lambda: smtplib.SMTP("127.0.0.1", desk.port)


@pytest.mark.parametrize("speaks", [speaks_lmtp, speaks_smtp])
@pytest.mark.parametrize(
    "mail",
    [b"Subject: x\r\n\r\n.\r\n..\r\n.two\r\nend\r\n", b"x\r\n", b".\r\n", b"\r\n", b"..x\r\n", b"a.\r\n.b.\r\n"],
)
async def test_a_mail_arrives_octet_by_octet(
    desk: Desk, mail: bytes, speaks: Callable[[Desk], Callable[[], smtplib.SMTP]]
) -> None:
    await by(speaks(desk), lambda client: client.sendmail("", ["a+b@example.cn"], mail))
    assert desk.taken == [(mail, ("a+b@example.cn",))]


@pytest.mark.parametrize(("greeting", "answers"), [(b"LHLO", 2), (b"EHLO", 1)])
async def test_lmtp_has_an_answer_for_each_recipient_and_smtp_one(desk: Desk, greeting: bytes, answers: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(
        greeting + b" x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.cn>\r\nrcpt to: <b@example.cn> NOTIFY=NEVER\r\n"
        b"DATA\r\nx\r\n.\r\nQUIT\r\n"
    )
    async with asyncio.timeout(60):
        said = (await reader.read()).splitlines()
    writer.close()
    assert said.count(b"250 2.0.0 stored") == answers
    assert desk.taken == [(b"x\r\n", ("a@example.cn", "b@example.cn"))]


async def test_several_mails_go_over_one_connection(desk: Desk) -> None:
    def work(client: smtplib.SMTP) -> None:
        for number in range(20):
            client.sendmail("", [f"a{number}@example.cn"], f"Subject: {number}\r\n".encode())

    await by(speaks_lmtp(desk), work)
    assert [recipients for _, recipients in desk.taken] == [(f"a{number}@example.cn",) for number in range(20)]


async def test_what_is_not_stored_is_to_be_brought_again(desk: Desk) -> None:
    desk.stores = False
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        await by(speaks_smtp(desk), lambda client: client.sendmail("", ["a@example.cn"], b"x\r\n"))
    assert refusal.value.smtp_code == 451


async def test_of_a_mail_with_photographs_the_beginning_is_kept(desk: Desk) -> None:
    mail = b"Subject: x\r\n\r\n1\r\n" + b"y" * 70 * 1024 + b".\r\n" + (b"z" * 70 + b".\r\n.\r\n..\r\n") * 10_000
    await by(speaks_lmtp(desk), lambda client: client.sendmail("", ["a@example.cn"], mail))
    ((kept, _),) = desk.taken
    assert len(mail) > lmtp.KEPT >= len(kept) > LONGEST
    assert kept == mail[: len(kept)]


async def test_a_mail_that_is_too_large_is_refused_for_good_and_the_next_is_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmtp, "MOST_OCTETS", 500_000)

    def work(client: smtplib.SMTP) -> int:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        client.rcpt("a@example.cn")
        code, _ = client.data((b"x" * 70 + b".\r\n") * 10_000)
        client.sendmail("", ["a@example.cn"], b"y\r\n")
        return code

    assert await by(speaks_smtp(desk), work) == 552
    assert [mail for mail, _ in desk.taken] == [b"y\r\n"]


async def test_leaving_answers_for_what_is_being_stored(desk: Desk) -> None:
    desk.free.clear()
    handing = asyncio.create_task(by(speaks_lmtp(desk), lambda client: client.sendmail("", ["a@example.cn"], b"x\r\n")))
    async with asyncio.timeout(60):
        while not desk.door.busy:  # noqa: ASYNC110 - the client is in a thread
            await asyncio.sleep(0.01)
    leaving = asyncio.create_task(desk.door.close())
    await asyncio.sleep(0)
    desk.free.set()
    async with asyncio.timeout(60):
        await leaving
    assert desk.taken == [(b"x\r\n", ("a@example.cn",))]
    assert await handing == {}, "the client was told that its mail is stored"


@pytest.mark.parametrize(
    "said",
    [
        b"\n" * 10_000,
        b"A" * 1_000_000,
        b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.cn>\r\nDATA\r\nno end",
        b"DATA\r\nRCPT TO:<x>\r\nMAIL\r\nRCPT\r\n\xff\xfe\r\n",
        b"\x00" * 4096 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_nonsense_is_answered_or_hung_up_on_and_others_are_served(desk: Desk, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(said)
    writer.write_eof()
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    writer.close()
    await by(speaks_lmtp(desk), lambda client: client.sendmail("", ["a@example.cn"], b"x\r\n"))
    assert [mail for mail, _ in desk.taken] == [b"x\r\n"]


async def test_callers_beyond_the_most_are_sent_away_and_the_first_ones_stay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmtp, "MOST_CONNECTIONS", 3)
    calls = [await asyncio.open_connection("127.0.0.1", desk.port) for _ in range(3)]
    assert [(await reader.readline())[:3] for reader, _ in calls] == [b"220"] * 3
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    assert (await reader.read())[:3] == b"421"
    for _, open_writer in [*calls, (reader, writer)]:
        open_writer.close()


async def test_a_socket_may_stand_for_the_port_and_is_not_taken_from_another_process() -> None:
    with socket_folder() as folder:
        place = Place(path=str(folder / "mail.sock"))
        desk, other = Desk(), Desk()
        await desk.door.open(place)
        with pytest.raises(OSError, match="another process"):
            await other.door.open(place)
        await by(lambda: smtplib.LMTP(place.path), lambda client: client.sendmail("", ["a@example.cn"], b"x\r\n"))
        assert desk.taken
        await desk.door.close()
        await other.door.open(place)
        await other.door.close()
