"""EBDS: the signature file of an EBD, with SM2 over the document's octets as they are (GY/T 389, GD/J 082).

Its value is a seal in base64.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from xml.sax.saxutils import escape

from broadcaster.errors import InputError
from broadcaster.xml import parse
from channels.loudspeaker.ebd.profile import Profile
from channels.loudspeaker.signing.seal import Seal, seconds

LARGEST = 64 * 1024
"""Octets of the file; it has one thousand."""


def signed_octets(document: bytes, time: datetime, profile: Profile) -> bytes:
    """What is signed: the document; in some dialects with the time behind it."""
    return document + seconds(time) if profile.utc_signed else document


def write(ebdid: str, seal: Seal, profile: Profile, issuer: str = "") -> bytes:
    """The signature file of the EBD `ebdid`."""
    value = base64.b64encode(seal.encode()).decode()
    if profile.signature == "certificate":
        said = (
            f"<Version>1.0</Version><RelatedEBD><EBDID>{ebdid}</EBDID></RelatedEBD>"
            f"<SignatureCert><CertType>01</CertType><IssuerID>{escape(issuer)}</IssuerID>"
            f"<CertSN>{seal.serial}</CertSN></SignatureCert>"
            f"<SignatureTime>{seconds(seal.time).hex().upper()}</SignatureTime>"
            "<DigestAlgorithm>SM3</DigestAlgorithm><SignatureAlgorithm>SM2</SignatureAlgorithm>"
        )
    else:
        said = (
            f"<Version>1</Version><RelatedEBD><EBDID>{ebdid}</EBDID></RelatedEBD><CertSN>{seal.serial}</CertSN>"
            "<SignatureAlgorithm>SM2-SM3</SignatureAlgorithm>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Signature xmlns:xs="{profile.namespace}">{said}'
        f"<SignatureValue>{value}</SignatureValue></Signature>\n"
    ).encode()


def read(data: bytes) -> tuple[str, Seal]:
    """Which EBD is signed, and the seal, of either form; `InputError` for anything else."""
    root = parse(data, LARGEST)
    related = root.first("RelatedEBD")
    certificate = root.first("SignatureCert")
    serial = (certificate or root).value("CertSN")
    try:
        octets = base64.b64decode("".join(root.value("SignatureValue").split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise InputError("SignatureValue 不是 base64。") from problem
    seal = Seal.decode(octets)
    if serial and serial.upper() != seal.serial:
        raise InputError("签名值里的证书编号与 CertSN 不一致。")
    return (related.value("EBDID") if related is not None else ""), seal
