"""Signatures are SM2 over SM3 as everybody makes them: OpenSSL verifies ours, we verify OpenSSL's."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcaster.errors import InputError, UnauthenticatedError
from channels.loudspeaker.ebd import package, signature
from channels.loudspeaker.ebd.profile import PROFILES
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.seal import Seal
from channels.loudspeaker.signing.sm2 import PrivateKey, PublicKey
from tests.harness.ebd_keys import OURS, OURS_SERIAL, THEIRS, public
from tests.harness.openssl import DIGEST, from_der, openssl, to_der

NEW, OLD = PROFILES["2023"], PROFILES["2018"]
DOCUMENT = "<EBD>台风红色预警</EBD>".encode() * 50
AT = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)
ID = "1" * 41


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    openssl("genpkey", "-algorithm", "SM2", "-out", "key.pem", within=tmp_path)
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem", within=tmp_path)
    (tmp_path / "data").write_bytes(DOCUMENT)
    return tmp_path


def test_what_openssl_signs_we_verify(keys: Path) -> None:
    theirs = PublicKey.read((keys / "public.pem").read_text())
    for _ in range(5):
        signed = openssl("pkeyutl", "-sign", "-in", "data", "-inkey", "key.pem", *DIGEST, within=keys)
        assert theirs.verify(DOCUMENT, from_der(signed))
        assert not theirs.verify(DOCUMENT + b" ", from_der(signed))


def test_what_we_sign_openssl_verifies(keys: Path) -> None:
    ours = PrivateKey.read((keys / "key.pem").read_text())
    for _ in range(5):
        (keys / "signature").write_bytes(to_der(ours.sign(DOCUMENT)))
        said = openssl(
            "pkeyutl", "-verify", "-in", "data", "-sigfile", "signature", "-pubin", "-inkey", "public.pem", *DIGEST,
            within=keys,
        )  # fmt: skip
        assert b"Verified Successfully" in said


def test_keys_are_read_in_every_form_that_openssl_writes(keys: Path) -> None:
    wanted = PublicKey.read((keys / "public.pem").read_text())
    openssl("ecparam", "-genkey", "-name", "SM2", "-out", "sec1.pem", within=keys)
    openssl("pkey", "-in", "sec1.pem", "-pubout", "-out", "other.pem", within=keys)
    openssl(
        "req", "-x509", "-new", "-key", "key.pem", "-sm3", "-subj", "/CN=platform", "-days", "30", "-out", "cert.pem",
        within=keys,
    )  # fmt: skip
    assert PrivateKey.read((keys / "key.pem").read_text()).public() == wanted
    other = PublicKey.read((keys / "other.pem").read_text())
    assert PrivateKey.read((keys / "sec1.pem").read_text()).public() == other
    assert PublicKey.read((keys / "cert.pem").read_text()) == wanted


def test_keys_are_read_in_hex() -> None:
    written = public(OURS)
    assert PublicKey.read(written) == PublicKey.read(written[2:]) == PrivateKey.read(OURS).public()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "04" + "11" * 64,
        "00" * 32,
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAMCAQE=\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    for kind in (PublicKey, PrivateKey):
        with pytest.raises(InputError):
            kind.read(text)


def test_no_key_shows_itself() -> None:
    assert str(PrivateKey.read(OURS).secret) not in repr(PrivateKey.read(OURS))


def test_a_seal_is_74_octets_of_time_serial_and_signature() -> None:
    seal = Seal(AT, "123456789012", bytes(range(64)))
    octets = seal.encode()
    assert (len(octets), octets[:4], octets[4:10].hex()) == (74, int(AT.timestamp()).to_bytes(4), "123456789012")
    assert Seal.decode(octets) == seal
    with pytest.raises(InputError):
        Seal.decode(octets[:-1])


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_both_forms_of_a_signature_file_are_read_back(profile: object) -> None:
    seal = Seal(AT, "00000000010A", bytes(range(64)))
    form = OLD if profile is OLD else NEW
    written = signature.write(ID, seal, form, "CA & 01")
    assert signature.read(written) == (ID, seal)
    assert (b"SignatureCert" in written) == (form is OLD)
    assert base64.b64encode(seal.encode()) in written


@pytest.mark.parametrize("damage", [b"<SignatureValue>", b"</SignatureValue>", b"<CertSN>0", b"QABAgM"])
def test_a_damaged_signature_file_is_refused(damage: bytes) -> None:
    written = signature.write(ID, Seal(AT, "000000000101", bytes(range(64))), NEW)
    assert damage in written
    with pytest.raises(InputError):
        signature.read(written.replace(damage, damage[:-1] + b"!", 1))


def sealed(secret: str = OURS, serial: str = OURS_SERIAL, *, utc: bool = False, ebdid: str = ID) -> package.Package:
    data = DOCUMENT + int(AT.timestamp()).to_bytes(4) if utc else DOCUMENT
    seal = Seal(AT, serial, PrivateKey.read(secret).sign(data))
    return package.Package(ID, DOCUMENT, signature.write(ebdid, seal, NEW))


TRUST = Trust({OURS_SERIAL: PrivateKey.read(OURS).public()}, NEW)


@pytest.mark.parametrize(
    ("given", "refused_by"),
    [
        (sealed(), set()),
        (package.Package(ID, DOCUMENT, None), {Policy.REQUIRE}),
        (sealed(serial="999999999999"), {Policy.REQUIRE}),
        (sealed(THEIRS), {Policy.REQUIRE, Policy.PREFER}),
        (sealed(ebdid="2" * 41), {Policy.REQUIRE, Policy.PREFER}),
        (sealed(utc=True), {Policy.REQUIRE, Policy.PREFER}),
        (package.Package(ID, DOCUMENT, b"<Signature/>"), {Policy.REQUIRE, Policy.PREFER}),
        (package.Package(ID, DOCUMENT + b" ", sealed().signature), {Policy.REQUIRE, Policy.PREFER}),
    ],
    ids=["good", "none", "unknown", "forged", "other", "with the time", "nonsense", "changed"],
)
def test_a_policy_refuses_what_it_is_there_to_refuse(given: package.Package, refused_by: set[Policy]) -> None:
    for policy in Policy:
        if policy in refused_by:
            with pytest.raises(UnauthenticatedError):
                TRUST.check(given, policy)
        else:
            TRUST.check(given, policy)


def test_the_time_is_signed_too_where_the_dialect_says_so() -> None:
    with_time = Trust(TRUST.keys, replace(NEW, utc_signed=True))
    with_time.check(sealed(utc=True), Policy.REQUIRE)
    with pytest.raises(UnauthenticatedError):
        with_time.check(sealed(), Policy.REQUIRE)
