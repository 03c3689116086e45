"""Replies of a protocol that gives them no ids: what comes again is told from what was written again."""

from datetime import UTC, datetime, timedelta

from channels.sms.parts import Piece
from channels.sms.session.connection import Connection
from channels.sms.session.events import Said
from channels.sms.session.pieces import Pieces, Whole

NIGHT = datetime(2026, 7, 1, 3, 0, 58, tzinfo=UTC)
PHONE = "13800000001"
SECOND = timedelta(seconds=1)


def said(pieces: Pieces, at: datetime, *parts: Piece, address: str = PHONE, name: str = "") -> Whole:
    """What a gateway brings `at` this moment, in these parts, on a connection of its own."""
    line = Connection(12, 4096, 60.0)
    for part in parts:
        pieces.take(Said(name, address, part, b""), line, at)
    (whole,) = pieces.whole(at)
    return whole


ONE = Piece("1", 0, 1, 1)


async def test_a_reply_that_comes_again_before_it_could_be_stored_is_the_same_however_long_that_takes() -> None:
    pieces = Pieces()
    first = said(pieces, NIGHT, ONE)
    assert said(pieces, NIGHT + 3 * SECOND, ONE).id == first.id, "the minute is another"
    assert said(pieces, NIGHT + timedelta(minutes=30), ONE).id == first.id


async def test_a_reply_that_comes_again_because_its_acknowledgement_was_lost_is_the_same() -> None:
    pieces = Pieces()
    first = said(pieces, NIGHT, ONE)
    pieces.kept([first], NIGHT + SECOND)
    assert said(pieces, NIGHT + 50 * SECOND, ONE).id == first.id


async def test_the_same_words_a_while_later_are_another_reply() -> None:
    pieces = Pieces()
    first = said(pieces, NIGHT, ONE)
    pieces.kept([first], NIGHT + SECOND)
    assert said(pieces, NIGHT + timedelta(minutes=3), ONE).id != first.id


async def test_other_words_and_other_people_are_other_replies() -> None:
    pieces = Pieces()
    names = {
        said(pieces, NIGHT, ONE).id,
        said(pieces, NIGHT, Piece("求助", 0, 1, 1)).id,
        said(pieces, NIGHT, ONE, address="13800000002").id,
    }
    assert len(names) == 3


async def test_a_long_reply_is_the_same_whichever_of_its_parts_comes_first() -> None:
    pieces = Pieces()
    parts = Piece("我家两位老人需要", 7, 2, 1), Piece("转移", 7, 2, 2)
    first = said(pieces, NIGHT, *parts)
    assert said(pieces, NIGHT + 5 * SECOND, *reversed(parts)).id == first.id
    assert first.text == "我家两位老人需要转移"


async def test_another_process_names_it_alike_within_the_minute() -> None:
    assert said(Pieces(), NIGHT, ONE).id == said(Pieces(), NIGHT + SECOND, ONE).id


async def test_a_protocols_own_id_stands() -> None:
    assert said(Pieces(), NIGHT, ONE, name="0701030058000001").id == "0701030058000001"
