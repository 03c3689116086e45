"""Signing what goes out (CAP-v1.2 clause 3.3.2.1): one enveloped signature over the whole message, the certificate with
it, RSA or ECDSA with SHA-256 or better as the key asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

from adapters.cap.read import read
from adapters.cap.tree import cut_out, grown
from adapters.cap.write import write
from broadcaster.alerts.alert import Alert
from broadcaster.errors import SettingsError

RSA_LEAST = 2048
"""Bits of an RSA key; others would be refused by whoever checks."""

_ELLIPTIC = {256: SignatureMethod.ECDSA_SHA256, 384: SignatureMethod.ECDSA_SHA384, 521: SignatureMethod.ECDSA_SHA512}


@dataclass(frozen=True, slots=True)
class SignedFormat:
    """CAP as `adapters.cap` reads and writes it, with a signature on all that is written."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    certificate: x509.Certificate
    method: SignatureMethod

    @classmethod
    def of(cls, key_file: Path, certificate_file: Path) -> SignedFormat:
        """The key and the certificate of two PEM files; `SettingsError` when they are none, or do not fit."""
        try:
            key = load_pem_private_key(key_file.read_bytes(), None)
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        except (OSError, ValueError, TypeError) as problem:
            raise SettingsError(
                f"feeds.signing_key 或 feeds.signing_certificate 读不出（{type(problem).__name__}）。",
                remedy="应为没有口令的 PEM 私钥，和它的 PEM 证书。",
            ) from problem
        method = _method(key)
        if method is None or not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise SettingsError(
                "feeds.signing_key 不是可以用来签名的密钥。",
                remedy=f"请用 {RSA_LEAST} 位以上的 RSA 密钥，或 P-256、P-384、P-521 的 EC 密钥。",
            )
        if key.public_key() != certificate.public_key():
            raise SettingsError("feeds.signing_certificate 不是 feeds.signing_key 的证书。", remedy="请换成同一对。")
        return cls(key, certificate, method)

    @staticmethod
    def read(data: bytes) -> Alert:
        """The alert that `data` says."""
        return read(data)

    def write(self, alert: Alert) -> bytes:
        """The alert as a signed CAP 1.2 document."""
        return self.signed(write(alert))

    def signed(self, document: bytes) -> bytes:
        """The document with a signature as its last element."""
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=self.method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        root: etree._Element = signer.sign(grown(document), key=self.key, cert=[self.certificate])
        return cut_out(root)


def _method(key: object) -> SignatureMethod | None:
    if isinstance(key, RSAPrivateKey):
        return SignatureMethod.RSA_SHA256 if key.key_size >= RSA_LEAST else None
    if isinstance(key, EllipticCurvePrivateKey):
        return _ELLIPTIC.get(key.curve.key_size)
    return None
