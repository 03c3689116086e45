"""Whatever a carrier's gateway, or somebody in its place, sends: it is understood or refused, at little cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from channels.sms.cmpp import wire as cmpp
from channels.sms.parts import parts, piece
from channels.sms.session.connection import Connection
from channels.sms.session.events import Dialect, Said, WireError
from channels.sms.session.pieces import Pieces
from channels.sms.sgip import wire as sgip
from channels.sms.sgip.sequence import Series
from channels.sms.smgp import wire as smgp
from channels.sms.smpp import wire as smpp
from tests.fuzz.carrier_frames import LONG as LONG_TEXT
from tests.fuzz.carrier_frames import cmpp_frames, sgip_frames, smgp_frames, smpp_frames
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SHORT, Bound, Decoder

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
Make: TypeAlias = Callable[[], Awaitable[Decoder]]


def account(version: int) -> cmpp.Account:
    return cmpp.Account("901234", "secret", version, "10690001", "HELP", 2, "01", "0")


async def cmpp_2() -> Decoder:
    return dialect("cmpp 2.0", cmpp.Cmpp(account(0x20)), list(await cmpp_frames(third=False)))


async def cmpp_3() -> Decoder:
    return dialect("cmpp 3.0", cmpp.Cmpp(account(0x30)), list(await cmpp_frames(third=True)))


async def smgp_3() -> Decoder:
    agreed = smgp.Account("901234", "secret", 0x30, "10690001", "HELP", "00", "0", "0", "")
    return dialect("smgp 3.0", smgp.Smgp(agreed), list(await smgp_frames()))


async def sgip_1() -> Decoder:
    agreed = sgip.Account("901234", "s", "901234", "shared-secret", "10690001", "01234", "", "0" * 21, 1, "0")
    return dialect("sgip 1.2", sgip.Sgip(agreed, Series(3_010_001_234)), list(await sgip_frames()))


async def smpp_3() -> Decoder:
    agreed = smpp.Account("county", "s3cret", "", "10690001", 0, 1, "86", "", gsm=True, receipt_ids="decimal")
    return dialect("smpp 3.4", smpp.Smpp(agreed), list(smpp_frames()))


def dialect(name: str, spoken: Dialect, frames: list[bytes]) -> Decoder:
    return Decoder(name, spoken.read, frames, (WireError,))


class Heard(Connection):
    """A connection without a line: what is heard on it is read, and no more."""

    def __init__(self, spoken: Dialect) -> None:
        super().__init__(spoken.shortest, spoken.longest, 60)
        self._spoken = spoken
        self.frames = 0

    def take(self, frame: bytes) -> None:
        self._spoken.read(frame)
        self.frames += 1


async def frames() -> Decoder:
    """Many frames in one piece of the stream, and pieces of frames."""
    spoken = cmpp.Cmpp(account(0x20))
    one = list(await cmpp_frames(third=False))

    def hear(octets: bytes) -> int:
        line, middle = Heard(spoken), len(octets) // 2
        line.data_received(octets[:middle])
        line.data_received(octets[middle:])
        if line.ended.done():
            raise WireError(line.ended.result())
        return line.frames

    return Decoder("frames of a session", hear, [*one, b"".join(one)], (WireError,))


async def reassembly() -> Decoder:
    """Short messages, each behind an octet with its coding (lower half) and whether it has a header, and its length."""
    line = Heard(cmpp.Cmpp(account(0x20)))

    def put_together(octets: bytes) -> list[str]:
        pieces = Pieces()
        sent = {str(number): piece(*one[:2], headed=one[2]) for number, one in enumerate(messages(octets))}
        for number, part in sent.items():
            pieces.take(Said(number, "1", part, b""), line, NOW)
        whole = [*pieces.whole(NOW), *pieces.whole(NOW + timedelta(minutes=1))]
        given = [came.said.id for one in whole for came in one.parts]
        assert len(set(given)) == len(given), "nothing is given out twice"
        places = {sent[number][1:] for number in given}
        assert all(part[1:] in places for part in sent.values()), "nothing is lost but repetitions"
        assert not pieces.waiting
        return [one.text for one in whole]

    cut = parts(LONG_TEXT, 7)
    first, second, *_ = (message(part.content, 0x80 | 8) for part in cut)
    whole = b"".join(message(part.content, 0x80 | 8) for part in cut)
    examples = [whole, second + first, first + first, message(b"1", 0)]
    # An empty message has two octets here, so that lines and memory are those of a whole message for every two.
    steps, memory = Bound(1_000, 50), Bound(64 * 1024, 1024)
    return Decoder("replies in parts", put_together, examples, longest=1024, steps=steps, memory=memory)


def message(content: bytes, kind: int) -> bytes:
    return bytes([kind, len(content)]) + content


def messages(octets: bytes) -> Iterator[tuple[bytes, int, bool]]:
    at = 0
    while at + 2 <= len(octets):
        kind, length = octets[at], octets[at + 1]
        yield octets[at + 2 : at + 2 + length], kind & 0x0F, bool(kind & 0x80)
        at += 2 + length


every_decoder = pytest.mark.parametrize(
    "make", [cmpp_2, cmpp_3, smgp_3, sgip_1, smpp_3, frames, reassembly], ids=lambda make: str(make.__name__)
)


@every_decoder
async def test_damaged_frames_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), SHORT, OFTEN)


@pytest.mark.soak
@every_decoder
async def test_a_million_damaged_frames_are_understood_or_refused(make: Make, fuzz: Fuzz) -> None:
    fuzz(await make(), LONG)
