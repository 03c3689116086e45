"""SIP messages and the parts of their headers, by the examples and rules of RFC 3261 and RFC 4475."""

from __future__ import annotations

import pytest

from channels.voice.sip.framing import Framer
from channels.voice.sip.header import party, split, where
from channels.voice.sip.message import Request, Response, SipError, parse

INVITE = (
    b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n"
    b"Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
    b"Call-ID: a84b4c76e66710@pc33.atlanta.com\r\nCSeq: 314159 INVITE\r\n"
    b"Contact: <sip:alice@pc33.atlanta.com>\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n"
)
TORTUOUS = (
    b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\nv: SIP  / 2.0  / UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
    b'call-id: unreason.1234\r\nCSeq:   8    INVITE  \r\nf: "J Rosenberg \\\\\\"" <sip:jdrosen@example.com>  ;\r\n'
    b"  tag = 98asjd8\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\nl: 0\r\n\r\n"
)


def test_a_message_is_read_as_it_was_written() -> None:
    message = parse(INVITE)
    assert isinstance(message, Request)
    assert (message.method, message.uri, message.body) == ("INVITE", "sip:bob@biloxi.com", b"v=0\n")
    assert (message.call_id, message.sequence) == ("a84b4c76e66710@pc33.atlanta.com", (314159, "INVITE"))
    assert parse(message.encode()) == message


def test_compact_names_folded_lines_and_odd_blanks_are_understood() -> None:
    message = parse(TORTUOUS)
    assert isinstance(message, Response)
    assert (message.status, message.sequence) == (200, (8, "INVITE"))
    assert party(message.first("from")) == ("sip:jdrosen@example.com", {"tag": "98asjd8"})
    assert party(message.first("to")).tag == "1918181833n"


@pytest.mark.parametrize(
    "damage",
    [
        (b"CSeq: 314159 INVITE", b"CSeq: 314159 OPTIONS"),
        (b"CSeq: 314159", b"CSeq: 99999999999"),
        (b"Content-Length: 4", b"Content-Length: 400"),
        (b"Content-Length: 4", b"Content-Length: -4"),
        (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"),
        (b"Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n", b""),
        (b"Max-Forwards: 70", b"Max-Forwards 70"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_what_is_no_message_is_refused(damage: tuple[bytes, bytes]) -> None:
    assert damage[0] in INVITE
    with pytest.raises(SipError):
        parse(INVITE.replace(*damage))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_is_cut_where_its_messages_end(size: int) -> None:
    stream, framer = b"\r\n\r\n" + INVITE + b"\r\n\r\n" + TORTUOUS + INVITE, Framer()
    pieces = [stream[n : n + size] for n in range(0, len(stream), size)]
    found = [message for piece in pieces for message in framer.feed(piece)]
    assert found == [parse(INVITE), parse(TORTUOUS), parse(INVITE)]


def test_a_stream_in_which_nothing_ends_is_given_up() -> None:
    with pytest.raises(SipError):
        list(Framer().feed(b"INVITE sip:a@b SIP/2.0\r\nX: " + b"x" * 20_000))


def test_members_of_a_list_end_at_commas_outside_of_quotes_and_brackets() -> None:
    value = '"A, B" <sip:a@b;x=1,2>;q=1, <sip:c@d>,sip:e@f'
    assert split(value) == ['"A, B" <sip:a@b;x=1,2>;q=1', "<sip:c@d>", "sip:e@f"]


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("sip:139@10.0.0.1:5080;transport=udp", ("10.0.0.1", 5080)),
        ("sips:a@example.com", ("example.com", 5061)),
        ("sip:[2001:db8::1]", ("2001:db8::1", 5060)),
        ("sip:a@b:99999", None),
        ("tel:139", None),
    ],
)
def test_a_uri_says_where(uri: str, found: tuple[str, int] | None) -> None:
    assert where(uri) == found
