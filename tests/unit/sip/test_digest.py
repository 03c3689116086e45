"""Digest authentication by the worked examples of RFC 2617 section 3.5 and RFC 7616 section 3.9.1."""

from __future__ import annotations

import re

from channels.voice.sip.digest import challenge, credentials

OLD = 'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5c"'
NEW = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={0},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def response(value: str) -> str:
    found = re.search(r'response="([0-9a-f]+)"', value)
    assert found is not None
    return found[1]


def test_the_example_of_rfc_2617() -> None:
    asked = challenge([OLD])
    assert asked is not None
    value = credentials(asked, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", cnonce="0a4f113b")
    assert response(value) == "6629fae49393a05397450978507c4ef1"
    assert 'opaque="5c"' in value


def test_the_examples_of_rfc_7616_and_that_the_stronger_is_taken() -> None:
    both = [NEW.format("MD5"), NEW.format("SHA-256")]
    expected = {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }
    once = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    for offered, algorithm in ((both[:1], "MD5"), (both, "SHA-256")):
        asked = challenge(offered)
        assert asked is not None
        value = credentials(asked, "Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce=once)
        assert response(value) == expected[algorithm]


def test_what_cannot_be_answered_is_no_challenge() -> None:
    assert challenge(["Basic realm=x", NEW.format("SHA-3"), OLD.replace("auth,auth-int", "auth-int")]) is None
