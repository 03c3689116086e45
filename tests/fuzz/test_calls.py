"""Whatever a trunk, a phone or a stranger sends to a call: it is understood or refused, at little cost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broadcaster.errors import InputError
from channels.voice.aliyun_vms.callback import read_callback
from channels.voice.sip.dialog import Dialog, transaction
from channels.voice.sip.digest import challenge, credentials
from channels.voice.sip.framing import Framer
from channels.voice.sip.header import party, split, where
from channels.voice.sip.identity import Identity
from channels.voice.sip.info import key_of
from channels.voice.sip.media import rtcp, rtp
from channels.voice.sip.message import Request, Response, SipError, parse, request
from channels.voice.sip.sdp import SdpError, offer, read
from channels.voice.sip.verdict import verdict
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SELDOM, SHORT, Bound, Decoder

IDENTITY = Identity("12379", "trunk.example", "UDP", "10.0.0.1", 5060)
INVITE = request(
    "INVITE", "sip:139@trunk.example",
    IDENTITY.common("7-1-1-aa@10.0.0.1", "<sip:a@b>;tag=1", "<sip:139@b>", 1, "INVITE"),
    offer("10.0.0.1", 20000, 7),
)  # fmt: skip
COMMON = (
    b"Via: SIP/2.0/UDP 10.0.0.1:5060;rport=5060;received=10.0.0.1;branch=z9hG4bKabc\r\nFrom: <sip:a@b>;tag=1\r\n"
    b'To: "B, \\"x\\"" <sip:139@b>;tag=2\r\nCall-ID: 7-1-1-aa@10.0.0.1\r\n'
)
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 96\r\n"
    b"a=rtpmap:96 telephone-event/8000\r\na=sendrecv\r\n"
)
RINGING = b"SIP/2.0 180 Ringing\r\n" + COMMON + b"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
ANSWERED = (
    b"SIP/2.0 200 OK\r\n" + COMMON + b"CSeq: 1 INVITE\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    b"Contact: <sip:139@10.0.0.2:5060>\r\nSession-Expires: 1800;refresher=uas\r\nContent-Type: application/sdp\r\n"
    b"Content-Length: " + str(len(SDP)).encode() + b"\r\n\r\n" + SDP
)
ASKED = (
    b"SIP/2.0 407 Proxy Authentication Required\r\n" + COMMON + b"CSeq: 1 INVITE\r\n"
    b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256\r\nl: 0\r\n\r\n'
)
REFUSED = (
    b"SIP/2.0 503 Busy\r\n"
    + COMMON
    + b'CSeq: 1 INVITE\r\nRetry-After: 5\r\nReason: Q.850;cause=34;text="x"\r\nl: 0\r\n\r\n'
)
INFO = (
    b"INFO sip:a@10.0.0.1 SIP/2.0\r\n" + COMMON + b"CSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\n"
    b"Content-Length: 21\r\n\r\nSignal=1\r\nDuration=10"
)
TOKENS = [
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n ",
    b";tag=",
    b"<",
    b">",
    b'"',
    b",",
    b"\\",
    b"sip:",
    b"Content-Length: 9\r\n",
    b"m=audio ",
]
TOKENS += [
    b"SIP/2.0",
    b"l: 1\r\n",
    b"c=IN IP6 ::1\r\n",
    b"a=rtpmap:",
    b"Via: ",
    b"CSeq: 1 BYE\r\n",
    b"branch=",
    b"\xff\xfe",
]

KEPT = 512 * 1024
"""The interpreter keeps two thousand pairs, which headers are, for later use."""


def message(octets: bytes) -> object:
    """Everything that is asked of a message that comes."""
    found = parse(octets)
    kept = [transaction(found), party(found.first("from")).tag, split(found.first("contact"))]
    if isinstance(found, Request):
        return kept, key_of(found)
    asked = challenge(found.all("proxy-authenticate"))
    if asked is not None:
        credentials(asked, "u", "p", "INVITE", "sip:a@b")
    dialog = Dialog.of(IDENTITY, INVITE, found)
    parse(dialog.acknowledge(found).encode())
    return kept, verdict(found), where(dialog.target)


def stream(octets: bytes) -> object:
    """A stream, in pieces."""
    framer = Framer()
    return [found for n in range(0, len(octets), 97) for found in framer.feed(octets[n : n + 97])]


def packet(octets: bytes) -> object:
    found = rtp.read(octets)
    return rtp.Presses().take(found), rtcp.missed(octets, found.source)


def reports(octets: bytes) -> object:
    """What Alibaba Cloud calls us with."""
    return read_callback(octets, datetime(2026, 11, 27, 13, 0, tzinfo=UTC))


REPORTS = [
    b'[{"call_id": "1^2", "status_code": "200001", "duration": "10\xe7\xa7\x92", "end_time": "2026-11-27 20:00:00",'
    b' "callee": "13900000001", "out_id": "7.2n9c.2", "dtmf": "11", "status_msg": "x"}]',
    b'[{"call_id": "1^2", "status_code": 300000, "status_time": "2026-11-27 20:00:00", "dtmf": "1"}]',
]
MESSAGES = [RINGING, ANSWERED, ASKED, REFUSED, INFO, INVITE.encode()]
DECODERS = [
    Decoder(
        "SIP messages", message, MESSAGES, (SipError,), tokens=TOKENS,
        steps=Bound(6_000, 60), memory=Bound(128 * 1024, 400), kept=KEPT,
    ),
    Decoder(
        "a stream of SIP", stream, [b"".join(MESSAGES), ANSWERED + RINGING], (SipError,), tokens=TOKENS,
        steps=Bound(12_000, 60), memory=Bound(256 * 1024, 400), kept=KEPT,
    ),
    Decoder("session descriptions", read, [SDP, offer("::1", 20000, 1)], (SdpError,), tokens=TOKENS,
            steps=Bound(2_000, 60), memory=Bound(128 * 1024, 200)),
    Decoder("reports of calls", reports, REPORTS, (InputError,), steps=Bound(2_000, 60), kept=KEPT),
    Decoder(
        "RTP and RTCP", packet,
        [
            rtp.packet(101, 1, 2, 7, b"\x01\x0a\x00\xa0", marker=True),
            rtp.packet(8, 1, 2, 7, b"\xd5" * 160, marker=False),
            rtcp.report(7, "daohu", 1e9, 1, 2, 3), rtcp.goodbye(7),
        ],
        (rtp.RtpError,), longest=1500,
    ),
]  # fmt: skip


@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_it_is_understood_or_refused(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, SHORT, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_a_million_times(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, LONG, SELDOM)


def test_the_examples_are_what_they_look_like() -> None:
    kinds = [parse(one) for one in MESSAGES]
    assert [one.status for one in kinds if isinstance(one, Response)] == [180, 200, 407, 503]
