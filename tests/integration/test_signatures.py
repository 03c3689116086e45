"""XML signatures: made and checked against xmlsec1; nothing but one whole, enveloped, trusted signature is good."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from adapters import cap
from adapters.cap.message import judge
from adapters.cap.sign import SignedFormat
from adapters.cap.signature import _ds, _shown, fault_of
from adapters.cap.tree import grown
from adapters.cap.trust import Anchors
from broadcaster.errors import SettingsError
from broadcaster.sources import Signature, SignaturePolicy, Verdict
from tests.harness import xmlsec
from tests.harness.alerts import NOW
from tests.harness.warnings import foreign, xml
from tests.harness.xmlsec import BEGAN, INCLUSIVE, MORE, SHA256, Signer, sign, signer, verifies

TRANSFORM = f'Transform Algorithm="{xmlsec.EXCLUSIVE}"'
REQUIRE, PREFER, IGNORE = SignaturePolicy.REQUIRE, SignaturePolicy.PREFER, SignaturePolicy.IGNORE


@pytest.fixture
def met(tmp_path: Path) -> Signer:
    return signer(tmp_path, "met")


def trusting(*signers: Signer) -> Anchors:
    return Anchors.read("t", [one.file for one in signers])


def test_what_xmlsec_signs_is_good(tmp_path: Path) -> None:
    elliptic = {"ecdsa-sha256": ec.SECP256R1(), "ecdsa-sha384": ec.SECP384R1()}
    cases: list[tuple[str, Any]] = [("rsa-sha256", None), ("rsa-sha512", None)]
    cases += [(method, ec.generate_private_key(curve)) for method, curve in elliptic.items()]
    for method, key in cases:
        by = signer(tmp_path, method, key)
        for canonical in (xmlsec.EXCLUSIVE, INCLUSIVE):
            signed = sign(xml(foreign()), by, method=MORE + method, canonical=canonical)
            assert fault_of(signed, trusting(by), NOW) == "", (method, canonical)
            judged = judge(signed, REQUIRE, trusting(by), NOW)
            assert (judged.verdict, judged.signature) == (Verdict.ACCEPTED, Signature.GOOD)
            assert judged.alert is not None
            assert judged.alert.identifier == "QX_1"


@pytest.mark.parametrize("make", [None, ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_what_we_sign_is_good_for_xmlsec(tmp_path: Path, make: Any) -> None:
    by = signer(tmp_path, "us", ec.generate_private_key(make) if make else None)
    ours = SignedFormat.of(by.key_file, by.file)
    written = ours.write(foreign())
    assert cap.read(written) == cap.read(cap.write(foreign()))
    file = tmp_path / "ours.xml"
    file.write_bytes(written)
    assert verifies(file, by.file)
    assert fault_of(written, trusting(by), NOW) == ""
    file.write_bytes(written.replace(b"<scope>Public", b"<scope>Private"))
    assert not verifies(file, by.file)


def test_a_key_that_cannot_sign_is_told_at_start(tmp_path: Path) -> None:
    by, other = signer(tmp_path, "a"), signer(tmp_path, "b")
    weak = signer(tmp_path, "weak", rsa.generate_private_key(65537, 1024))
    for key, certificate, word in (
        (by.key_file, other.file, "同一对"),
        (weak.key_file, weak.file, "2048"),
        (by.file, by.file, "PEM"),
        (tmp_path / "nothing", by.file, "PEM"),
    ):
        with pytest.raises(SettingsError) as caught:
            SignedFormat.of(key, certificate)
        assert word in str(caught.value)


def test_an_authority_says_who_signs(tmp_path: Path) -> None:
    root = signer(tmp_path, "root", authority=True)
    below = signer(tmp_path, "below", by=root, authority=True)
    by = signer(tmp_path, "by", by=root)
    deep = signer(tmp_path, "deep", by=below)
    stranger = signer(tmp_path, "stranger")
    forged = signer(tmp_path, "forged", by=replace(root, key=stranger.key))
    assert fault_of(sign(xml(foreign()), by), trusting(root), NOW) == ""
    assert fault_of(sign(xml(foreign()), deep), trusting(root, below), NOW) == ""
    for one in (stranger, forged, deep):
        assert "可信" in fault_of(sign(xml(foreign()), one), trusting(root), NOW)
    for at in (BEGAN - timedelta(days=1), BEGAN + timedelta(days=36500)):
        assert "有效期" in fault_of(sign(xml(foreign()), by), trusting(root), at)


def test_a_certificate_that_has_run_out_is_no_longer_good(tmp_path: Path) -> None:
    old = signer(tmp_path, "old", until=NOW - timedelta(days=1))
    assert "有效期" in fault_of(sign(xml(foreign()), old), trusting(old), NOW)
    assert fault_of(sign(xml(foreign()), old), trusting(old), NOW - timedelta(days=2)) == ""


@pytest.mark.parametrize(
    ("policy", "signed", "verdict", "signature"),
    [
        (REQUIRE, "good", Verdict.ACCEPTED, Signature.GOOD),
        (REQUIRE, "bad", Verdict.REFUSED, Signature.BAD),
        (REQUIRE, "", Verdict.REFUSED, Signature.NONE),
        (PREFER, "good", Verdict.ACCEPTED, Signature.GOOD),
        (PREFER, "bad", Verdict.REFUSED, Signature.BAD),
        (PREFER, "", Verdict.WITH_WARNINGS, Signature.NONE),
        (IGNORE, "good", Verdict.WITH_WARNINGS, Signature.UNCHECKED),
        (IGNORE, "bad", Verdict.WITH_WARNINGS, Signature.UNCHECKED),
        (IGNORE, "", Verdict.ACCEPTED, Signature.NONE),
    ],
)
def test_what_a_policy_makes_of_it(
    met: Signer, policy: SignaturePolicy, signed: str, verdict: Verdict, signature: Signature
) -> None:
    document = xml(foreign())
    if signed:
        document = sign(document, met)
    if signed == "bad":
        document = document.replace("台风".encode(), "暴雨".encode())
    judged = judge(document, policy, trusting(met), NOW)
    assert (judged.verdict, judged.signature) == (verdict, signature), judged.reasons
    assert (judged.alert is None) == (verdict is Verdict.REFUSED)


def moved(signed: bytes) -> bytes:
    """The signed message wrapped into a forged one: the signature stays, what is read is another."""
    signature = re.search(rb"<Signature .*</Signature>", signed, re.DOTALL)
    assert signature is not None
    inner = signed.replace(signature[0], b"").partition(b"?>")[2]
    forged = xml(foreign("FORGED")).partition(b"?>")[2]
    with_object = signature[0].replace(b"</Signature>", b"<Object>" + inner + b"</Object></Signature>")
    return forged.replace(b"</alert>", with_object + b"</alert>")


def referring(signed: bytes) -> bytes:
    """The original stands within the forged message under an id to which the signature now refers."""
    return signed.replace(b'URI=""', b'URI="#original"').replace(b"<info>", b'<info Id="original">', 1)


def twice(signed: bytes) -> bytes:
    signature = re.search(rb"<Signature .*</Signature>", signed, re.DOTALL)
    assert signature is not None
    return signed.replace(b"</alert>", signature[0] + b"</alert>")


def within(signed: bytes) -> bytes:
    signature = re.search(rb"<Signature .*</Signature>", signed, re.DOTALL)
    assert signature is not None
    return signed.replace(signature[0], b"").replace(b"</info>", signature[0] + b"</info>", 1)


def put(old: str, new: str) -> Any:
    def change(signed: bytes) -> bytes:
        assert old.encode() in signed
        return signed.replace(old.encode(), new.encode())

    return change


@pytest.mark.parametrize(
    ("attack", "word"),
    [
        (moved, "Object"),
        (referring, "不是整条"),
        (twice, "不止一个"),
        (within, "直接子元素"),
        (put('URI=""', 'URI="http://example.cn/x"'), "以外"),
        (put('URI=""', "URI=\"#xpointer(id('a'))\""), "以外"),
        (put('URI=""', 'URI="#none"'), "不是整条"),
        (put(' URI=""', ""), "以外"),
        (put(TRANSFORM, 'Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"'), "变换"),
        (put(TRANSFORM, 'Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"'), "变换"),
        (put("http://www.w3.org/2000/09/xmldsig#enveloped-signature", xmlsec.EXCLUSIVE), "变换"),
        (put(MORE + "rsa-sha256", MORE + "hmac-sha256"), "签名算法"),
        (put(MORE + "rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "签名算法"),
        (put(MORE + "rsa-sha256", "none"), "签名算法"),
        (put(MORE + "rsa-sha256", ""), "签名算法"),
        (put(SHA256, "http://www.w3.org/2000/09/xmldsig#sha1"), "摘要算法"),
        (put("<X509Data>", '<RetrievalMethod URI="http://example.cn/key"/><X509Data>'), "别处取证书"),
        (put("</SignedInfo>", '<Reference URI=""><DigestValue>x</DigestValue></Reference></SignedInfo>'), "恰好一个"),
        (put("<status>Actual", "<status>Exercise"), "不符"),
        (put("<SignatureValue>", "<SignatureValue>AAAA"), "不符"),
    ],
)  # fmt: skip
def test_whatever_else_signatures_can_do_is_refused(met: Signer, attack: Any, word: str) -> None:
    damaged = attack(sign(xml(foreign()), met))
    assert word in fault_of(damaged, trusting(met), NOW)
    assert judge(damaged, REQUIRE, trusting(met), NOW).verdict is Verdict.REFUSED


def test_a_shared_secret_never_makes_a_signature_good(met: Signer, tmp_path: Path) -> None:
    """The certificate's own octets as an HMAC key: what a verifier that trusts the algorithm's name would take."""
    document = grown(xml(foreign()))
    digest = base64.b64encode(hashlib.sha256(etree.tostring(document, method="c14n", exclusive=True)).digest()).decode()
    information = (
        '<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#">'
        f'<CanonicalizationMethod Algorithm="{xmlsec.EXCLUSIVE}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{MORE}hmac-sha256"></SignatureMethod><Reference URI=""><Transforms>'
        '<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{SHA256}"></DigestMethod><DigestValue>{digest}</DigestValue>'
        "</Reference></SignedInfo>"
    )
    value = base64.b64encode(hmac.new(met.file.read_bytes(), information.encode(), "sha256").digest()).decode()
    signature = (
        f'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">{information}'
        f"<SignatureValue>{value}</SignatureValue></Signature>"
    )
    forged = xml(foreign()).replace(b"</alert>", signature.encode() + b"</alert>")
    assert "签名算法" in fault_of(forged, trusting(met), NOW)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # one of the certificates has one that is negative
def test_the_public_messages_are_judged_as_xmlsec_judges_them(shared: Path) -> None:
    folder, seen, good = shared / "data" / "cap", 0, 0
    table = (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(table, delimiter="\t"):
        path = folder / row["path"]
        document = path.read_bytes()
        if b"Signature" not in document or path.suffix == ".atom":
            continue
        signatures = list(grown(document).iter(_ds("Signature")))
        shown = list(_shown(signatures[0]))
        if len(signatures) != 1 or not shown or b"rsa-sha1" in document:
            continue
        seen += 1
        anchors = Anchors(signers=(shown[0],))
        fault = fault_of(document, anchors, shown[0].not_valid_before_utc + timedelta(days=1))
        assert (fault == "") == verifies(path, None), (path, fault)
        good += fault == ""
        assert not (row["expect"] == "reject:signature" and fault == ""), path
    assert (seen, good) == (16, 5)


def test_no_signature_survives_a_change_anywhere(met: Signer) -> None:
    signed = sign(xml(foreign()), met)
    text = signed.decode().partition("<Signature ")[0]
    places = [match.start(1) for match in re.finditer(r">([^<\s])", text)]
    assert len(places) > 15
    for place in places:
        changed = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        damaged = changed.encode() + signed[len(text.encode()) :]
        assert fault_of(damaged, trusting(met), datetime(2026, 8, 10, tzinfo=UTC)) != "", text[place - 20 : place + 5]
