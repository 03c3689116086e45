"""Whose signature is asked for, and whether it is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadcaster.errors import InputError, UnauthenticatedError
from channels.loudspeaker.ebd import signature
from channels.loudspeaker.ebd.package import Package
from channels.loudspeaker.ebd.profile import Profile
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.sm2 import PublicKey


@dataclass(frozen=True, slots=True)
class Trust:
    """A peer's keys by the serial numbers of their certificates."""

    keys: Mapping[str, PublicKey]
    profile: Profile

    def check(self, package: Package, policy: Policy) -> bool:
        """Whether its signature is good; `UnauthenticatedError` when the package is not what `policy` asks for. Takes
        some milliseconds."""
        if policy is Policy.IGNORE:
            return False
        if package.signature is None:
            if policy is Policy.REQUIRE:
                raise UnauthenticatedError("EBD 没有签名。", remedy="请对方平台签名，或改网关的 verify。")
            return False
        try:
            related, seal = signature.read(package.signature)
        except InputError as problem:
            raise UnauthenticatedError(f"EBD 的签名文件读不懂：{problem.what}") from problem
        if related and related != package.id:
            raise UnauthenticatedError("EBD 的签名是另一份 EBD 的。")
        key = self.keys.get(seal.serial)
        if key is None:
            if policy is Policy.REQUIRE:
                raise UnauthenticatedError(
                    f"EBD 的签名证书 {seal.serial} 没有登记。", remedy="请把对方的证书加进网关的 peer_keys。"
                )
            return False
        if not key.verify(signature.signed_octets(package.document, seal.time, self.profile), seal.signature):
            raise UnauthenticatedError(
                "EBD 的签名不对。", remedy="请与对方核对证书；若证书无误，试试网关的 utc_signed。"
            )
        return True
