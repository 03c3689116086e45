"""Whose signatures are good: certificates that the operator has named, each a signer's own or an authority's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtensionOID

from broadcaster.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Anchors:
    """`signers` sign messages themselves; `authorities` say who else may."""

    signers: tuple[x509.Certificate, ...] = ()
    authorities: tuple[x509.Certificate, ...] = ()

    @classmethod
    def read(cls, said: str, files: Iterable[Path]) -> Anchors:
        """The certificates of PEM files; `SettingsError`, which begins with `said`, for one that holds none."""
        signers: list[x509.Certificate] = []
        authorities: list[x509.Certificate] = []
        for file in files:
            try:
                found = x509.load_pem_x509_certificates(file.read_bytes())
            except (OSError, ValueError) as problem:
                raise SettingsError(
                    f"{said}：certificates 文件 {file} 读不出证书。", remedy="应为 PEM 格式的证书文件。"
                ) from problem
            for certificate in found:
                (authorities if _is_authority(certificate) else signers).append(certificate)
        return cls(tuple(signers), tuple(authorities))

    def signer(self, shown: Sequence[x509.Certificate], at: datetime) -> x509.Certificate | str:
        """Of the certificates that a message shows, the first is its signer's: that one if it is trusted at `at`, else
        why it is not. A message that shows none may be by any of the signers that we know."""
        if not shown:
            return self._only(at)
        first = shown[0]
        if first in self.signers:
            return first if _in_time(first, at) else "签名证书不在有效期内"
        chain = self._chain(first, shown[1:], at)
        return first if chain == "" else chain

    def _only(self, at: datetime) -> x509.Certificate | str:
        valid = [one for one in self.signers if _in_time(one, at)]
        return valid[0] if len(valid) == 1 else "签名没有附证书，而来源配置的签名证书不止一个，无法确定是谁签的"

    def _chain(self, signer: x509.Certificate, shown: Sequence[x509.Certificate], at: datetime) -> str:
        """Follow the issuers, among those shown, up to an authority; "" when one is reached."""
        if not _may_sign(signer):
            return "签名证书的用途不包括数字签名"
        current = signer
        for _ in range(len(shown) + 1):
            if not _in_time(current, at):
                return "签名证书或其上级不在有效期内"
            if any(_in_time(one, at) and _issued(current, one) for one in self.authorities):
                return ""
            above = next((one for one in shown if _is_authority(one) and _issued(current, one)), None)
            if above is None or above == current:
                break
            current = above
        return "签名证书不在来源配置的可信证书之内"


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _in_time(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        basic = certificate.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return isinstance(basic, x509.BasicConstraints) and basic.ca


def _may_sign(certificate: x509.Certificate) -> bool:
    """RFC 5280 4.2.1.3: where a key's usage is said, it has to be signing."""
    try:
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return isinstance(usage, x509.KeyUsage) and (usage.digital_signature or usage.content_commitment)
