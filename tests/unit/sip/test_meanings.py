"""What refusals mean, when a call is refreshed, which options are taken."""

from __future__ import annotations

import pytest

from broadcaster.errors import SettingsError
from broadcaster.testing import MemoryJournal
from channels.voice.sip import plugin
from channels.voice.sip.info import key_of
from channels.voice.sip.message import Request, Response
from channels.voice.sip.refresh import Refresh
from channels.voice.sip.verdict import Kind, verdict
from tests.harness.calls import gateway
from tests.harness.hand_timers import HandTimers


def response(status: int, **headers: str) -> Response:
    made = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response((("cseq", "1 INVITE"), *made), b"", status, "")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (response(486), Kind.UNANSWERED, "占线（486）"),
        (response(603), Kind.UNANSWERED, "拒接（603）"),
        (response(404), Kind.IMPOSSIBLE, "空号（404）"),
        (response(302), Kind.IMPOSSIBLE, "号码已改（302）"),
        (response(403), Kind.DOUBTFUL, "中继不准呼叫（403）"),
        (response(403, reason="Q.850;cause=1"), Kind.IMPOSSIBLE, "空号（403）"),
        (response(503), Kind.CONGESTED, "线路拥塞（503）"),
        (response(599), Kind.CONGESTED, "线路拥塞（599）"),
        (response(407), Kind.UNFIT, "中继要求认证，用户名或密码不对（407）"),
        (response(480, reason="Q.850;cause=17;text=\"User busy\""), Kind.UNANSWERED, "占线（480）"),
        (response(503, reason="SIP;cause=503, Q.850 ;cause=1"), Kind.IMPOSSIBLE, "空号（503）"),
        (response(480, reason="Q.850;cause=34"), Kind.CONGESTED, "线路拥塞（480）"),
    ],
)  # fmt: skip
def test_a_refusal_means(said: Response, kind: Kind, words: str) -> None:
    found = verdict(said)
    assert (found.kind, found.words) == (kind, words)


def test_a_trunk_says_when_it_may_be_tried_again_and_may_have_codes_of_its_own() -> None:
    assert verdict(response(503, retry_after="12 (maintenance)")).after == 12
    assert verdict(response(503, retry_after="999999")).after == 300
    assert verdict(response(486), frozenset({486})).kind is Kind.CONGESTED


def test_a_call_is_refreshed_at_half_its_time_by_whom_it_was_agreed() -> None:
    timers, sent, stale = HandTimers(), list[str](), list[float]()
    refresh = Refresh(timers, lambda method, headers: sent.append(f"{method} {headers[0][1]}"), lambda: stale.append(1))
    refresh.agreed(response(200, session_expires="200;refresher=uac", allow="INVITE, UPDATE"))
    timers.advance(99)
    assert sent == []
    timers.advance(2)
    assert sent == ["UPDATE 200;refresher=uac"]
    refresh.agreed(response(200, session_expires="90;refresher=uas"))
    timers.advance(59)
    assert stale == []
    asked = Request((("session-expires", "90"), ("cseq", "1 UPDATE")), b"", "UPDATE", "sip:a@b")
    assert refresh.asked(asked) == (("session-expires", "90;refresher=uac"), ("require", "timer"))
    timers.advance(59)
    assert stale == []
    timers.advance(2)
    assert stale == [1]


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay; x=y", b"Signal= 11\r\n", "#"),
        ("application/dtmf", b"*\r\n", "*"),
        ("application/dtmf", b"1", "1"),
        ("text/plain", b"Signal=5", ""),
        ("application/dtmf-relay", b"Signal=99\r\n", ""),
    ],
)
def test_a_key_in_signalling(kind: str, body: bytes, key: str) -> None:
    assert key_of(Request((("content-type", kind),), body, "INFO", "sip:a@b")) == key


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"lines": 0}, "lines"),
        ({"rtp_ports": "20000-20009"}, "rtp_ports"),
        ({"rtp_ports": "20000"}, "rtp_ports"),
        ({"register": True}, "register"),
        ({"final_keys": "1*"}, "final_keys"),
        ({"caller": "sip:12379"}, "caller"),
        ({"transport": "sctp"}, "transport"),
        ({"password": 7, "transport": "tls", "ca_file": "/none.pem"}, "password|ca_file"),
    ],
)
def test_a_wrong_option_is_told_at_the_start(options: dict[str, object], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        plugin.build(gateway(5060, **options), MemoryJournal())
