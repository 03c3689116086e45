"""xmlsec1, an implementation of XML signatures that nobody here wrote: signing and verifying CAP messages."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.harness.parties import program

_TEMPLATE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="{canonical}"/><SignatureMethod Algorithm="{method}"/>
<Reference URI="{uri}"><Transforms>{transforms}</Transforms>
<DigestMethod Algorithm="{digest}"/><DigestValue/></Reference></SignedInfo><SignatureValue/>
<KeyInfo><X509Data/></KeyInfo></Signature>"""
_ENVELOPED = '<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Signer:
    """A key with its certificate, as PEM files of a folder."""

    key: Key
    certificate: x509.Certificate
    key_file: Path
    file: Path


def signer(
    folder: Path,
    name: str,
    key: Key | None = None,
    *,
    by: Signer | None = None,
    authority: bool = False,
    until: datetime = BEGAN + timedelta(days=3650),
) -> Signer:
    """A certificate, its own or issued `by` another; `authority`: it may issue others."""
    own = key or rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGAN)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by.key if by else own, hashes.SHA256())
    )
    file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Signer(own, made, key_file, file)


def sign(
    document: bytes,
    by: Signer,
    *,
    method: str = MORE + "rsa-sha256",
    digest: str = SHA256,
    canonical: str = EXCLUSIVE,
    uri: str = "",
    transforms: str = "",
) -> bytes:
    """The document with a signature by xmlsec1."""
    template = _TEMPLATE.format(
        canonical=canonical,
        method=method,
        uri=uri,
        digest=digest,
        transforms=_ENVELOPED + (transforms or f'<Transform Algorithm="{canonical}"/>'),
    )
    unsigned, signed = by.file.with_suffix(".in.xml"), by.file.with_suffix(".out.xml")
    unsigned.write_bytes(document.replace(b"</alert>", template.encode() + b"</alert>"))
    xmlsec = program("xmlsec1", package="xmlsec1")
    command = [xmlsec, "--sign", "--privkey-pem", f"{by.key_file},{by.file}", "--output", str(signed), str(unsigned)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return signed.read_bytes()


def verifies(document: Path, trusted: Path | None) -> bool:
    """Whether xmlsec1 holds the signature for good; without `trusted` any key will do."""
    xmlsec = program("xmlsec1", package="xmlsec1")
    trust = ["--trusted-pem", str(trusted), "--verification-time", "2026-08-10 03:00:00"] if trusted else ["--insecure"]
    command = [xmlsec, "--verify", *trust, str(document)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
