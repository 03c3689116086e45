"""Whatever somebody mails to where bounces arrive, or a mail server answers: it is understood or refused, at little
cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeAlias

import pytest

from broadcaster.errors import InputError
from broadcaster.ports import DeliveryKey
from channels.email.line import Answer, Line
from channels.email.post import Kind, Post, read
from channels.email.seal import Seal, Seals
from channels.email.wire import verp
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SHORT, Bound, Decoder

KEPT = 512 * 1024
"""Octets of patterns and tables of character sets, which the library keeps from the first time on."""

WEIGHED = 100
"""Of how many mails of the long run one is weighed: a mail takes thousands of lines."""

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
KEY = DeliveryKey(7, 12, 1)
SEALS = Seals(Seal("return paths"), Seal("answers"))
SEALED = SEALS.bounce.write(KEY)
RETURN_PATH = verp("bounce@ebs.example.cn", SEALED)
REPLY_TO = verp("huifu@ebs.example.cn", Seal("answers").write(KEY))

REPORT = f"""Return-Path: <>
From: MAILER-DAEMON@mail.example.org
To: {RETURN_PATH}
Subject: =?utf-8?B?6YCA5L+h?=
Date: Sat, 01 Aug 2026 10:59:00 +0800
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: text/plain; charset=gb18030
Content-Transfer-Encoding: quoted-printable

=CD=CB=D0=C5

--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
Original-Envelope-Id: {SEALED}

Final-Recipient: rfc822; zhang.san@example.org
Action: failed
Status: 5.1.1
Last-Attempt-Date: Sat, 01 Aug 2026 10:58:00 +0800

Final-Recipient: rfc822; li.si@example.org
Action: delayed
Status: 4.2.2

--=b
Content-Type: message/rfc822

From: yujing@ebs.example.cn
Message-ID: <7-12.{SEALS.bounce.mark("id 7-12")}.0123456789abcdef@ebs.example.cn>

text
--=b--
"""
QMAIL = f"""From: MAILER-DAEMON@example.org
To: {RETURN_PATH}
Subject: failure notice

Hi. This is the qmail-send program at mail.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<zhang.san@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.
"""
ANSWER = f"""From: =?gb2312?B?1cXI/Q==?= <zhang.san@example.org>
To: {REPLY_TO}
Subject: Re: x
Message-ID: <1@example.org>
In-Reply-To: <7-12.{SEALS.bounce.mark("id 7-12")}.0123456789abcdef@ebs.example.cn>
Content-Type: multipart/alternative; boundary=q

--q
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

PGRpdj4xJm5ic3A7PC9kaXY+PGJsb2NrcXVvdGU+eDwvYmxvY2txdW90ZT4=
--q--
"""
TOKENS = [
    b'Content-Type: multipart/mixed; boundary="=b"\n',
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: message/delivery-status\n\n",
    b"Content-Type: text/html; charset=punycode\n",
    b"Content-Transfer-Encoding: x-uuencode\n",
    b"Content-Type: text/plain; charset*=utf-8''%00; boundary*0=a; boundary*1=b\n",
    b"\n--=b\n",
    b"\n\n",
    b"\n--=b--\n",
    b"=?utf-7?Q?",
    b"<blockquote>",
    b"<",
    b";",
    b'"',
    b"(",
    b"\xe9\xff",
    b"\x00",
    b"begin 644 x\n",
]


class Nowhere(asyncio.Transport):
    """Takes what is written, and forgets it."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def is_closing(self) -> bool:
        return False

    def write(self, data: object) -> None: ...

    def abort(self) -> None: ...


Make: TypeAlias = Callable[[], Awaitable[Decoder]]


def received(raw: bytes, *recipients: str) -> Post:
    post = read(raw, recipients, NOW, SEALS)
    assert all(receipt.key in (KEY, None) for receipt in post.receipts)
    assert all(
        reply.key is not None and reply.key[:2] == KEY[:2] and len(reply.text) <= 1_000 for reply in post.replies
    )
    return post


async def mails() -> Decoder:
    """Lines and memory are those of the standard library's parser and of the known forms of bounces as well."""
    examples = [text.replace("\n", "\r\n" if text is REPORT else "\n").encode() for text in (REPORT, QMAIL, ANSWER)]
    assert [received(example).kind for example in examples] == [Kind.REPORT, Kind.BOUNCE, Kind.REPLY]

    def handed_over(raw: bytes) -> Post:
        return received(raw, RETURN_PATH, REPLY_TO)

    steps, memory = Bound(400_000, 100), Bound(1024 * 1024, 256)
    return Decoder(
        "mails that come back",
        handed_over,
        examples,
        (InputError,),
        tokens=TOKENS,
        longest=8 * 1024,
        steps=steps,
        memory=memory,
        kept=KEPT,
    )


async def answers() -> Decoder:
    """A server's answers, in one piece and in two."""

    def hear(octets: bytes) -> list[Answer]:
        whole, parted = (
            _heard(pieces) for pieces in ([octets], [octets[: len(octets) // 2], octets[len(octets) // 2 :]])
        )
        assert whole == parted
        return whole

    said = [
        b"250-relay.example\r\n250-SIZE 1000\r\n250 DSN\r\n",
        b"250 2.1.0 ok\r\n550 5.1.1 <a@example.org>: no\r\n354 go ahead\r\n",
        b"421 4.3.2 closing\r\n",
    ]
    return Decoder(
        "a mail server's answers",
        hear,
        said,
        steps=Bound(1_000, 80),
        tokens=[b"250-\r\n", b"\r\n", b"250 "],
        kept=KEPT,
    )


def _heard(pieces: list[bytes]) -> list[Answer]:
    """What a line makes of it that has asked for four answers."""
    line = Line({})
    line.take_over(Nowhere())
    line.write(b"", 4)  # as many as are ever owed
    for piece in pieces:
        line.data_received(piece)
    return list(line.heard())


every_decoder = pytest.mark.parametrize("make", [mails, answers], ids=lambda make: str(make.__name__))


@every_decoder
async def test_damaged_mails_and_answers_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), SHORT // 5, OFTEN)


@pytest.mark.soak
@every_decoder
async def test_a_million_damaged_mails_and_answers_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), LONG, weighed=WEIGHED)
