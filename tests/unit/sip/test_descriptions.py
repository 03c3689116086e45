"""Session descriptions: what we offer, and what others say (RFC 8866, RFC 3264)."""

from __future__ import annotations

import pytest

from channels.voice.sip.sdp import SdpError, Session, offer, read

ANSWER = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 96\r\n"
    b"a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n"
)


def test_our_own_offer_is_what_we_understand() -> None:
    assert read(offer("10.0.0.1", 20000, 7)) == Session("10.0.0.1", 20000, 8, 8, 101, held=False)
    assert read(offer("2001:db8::1", 20000, 7)).host == "2001:db8::1"


def test_an_answer_says_where_and_how() -> None:
    assert read(ANSWER) == Session("10.0.0.2", 4000, 8, 8, 96, held=False)
    assert read(ANSWER.replace(b" 8 96", b" 0 96")).law == 0
    assert read(ANSWER.replace(b" 8 96", b" 97") + b"a=rtpmap:97 PCMU/8000\r\n") == Session(
        "10.0.0.2", 4000, 97, 0, None, held=False
    )
    assert read(ANSWER + b"c=IN IP4 10.0.0.3\r\n").host == "10.0.0.3"
    video = b"m=video 5000 RTP/AVP 99\r\nc=IN IP4 10.0.0.9\r\n"
    assert read(ANSWER + video) == read(ANSWER)
    assert read(ANSWER.replace(b"m=audio", video + b"m=audio")) == read(ANSWER)


@pytest.mark.parametrize("said", [b"a=sendonly\r\n", b"a=inactive\r\n", b"c=IN IP4 0.0.0.0\r\n"])
def test_who_holds_the_call_says_so(said: bytes) -> None:
    assert read(ANSWER + said).held


@pytest.mark.parametrize(
    "damage",
    [
        (b"m=audio 4000", b"m=audio 0"),
        (b"m=audio 4000", b"m=audio 70000"),
        (b" 8 96", b" 18 96"),
        (b"RTP/AVP", b"RTP/SAVP"),
        (b"c=IN IP4 10.0.0.2\r\n", b""),
        (b"c=IN IP4 10.0.0.2", b"c=IN IP4 224.0.0.1"),
        (b"m=audio 4000 RTP/AVP 8 96\r\n", b""),
    ],
)
def test_what_we_cannot_speak_to_is_refused(damage: tuple[bytes, bytes]) -> None:
    with pytest.raises(SdpError):
        read(ANSWER.replace(*damage))
