"""What the settings of a gateway say of signatures: who signs for us, and whose keys are known."""

from __future__ import annotations

from collections.abc import Mapping

from yarl import URL

from broadcaster.errors import InputError, SettingsError
from broadcaster.ports import GatewaySettings
from broadcaster.trust import is_loopback
from channels.loudspeaker.signing.seal import is_serial
from channels.loudspeaker.signing.signer import DeviceSigner, Signer, SoftwareSigner
from channels.loudspeaker.signing.sm2 import PrivateKey, PublicKey
from channels.options import named


def our_signer(gateway: GatewaySettings, *, key: str | None, device: str, serial: str) -> Signer:
    """Who signs for us, by the options `key`, `device` and `cert_sn`; `SettingsError` when nobody can."""
    if bool(key) == bool(device):
        raise SettingsError(
            f"{named(gateway)}：key 和 device 应填一个。",
            remedy='key = { file = "私钥.pem" }；或 device = "http://127.0.0.1:端口/路径"，由密码机签名。',
        )
    if not is_serial(serial):
        raise SettingsError(f"{named(gateway)}：cert_sn 应为 12 位签名证书编号。", remedy="请查我方签名证书。")
    if device:
        return DeviceSigner(_address(gateway, device), serial.upper())
    try:
        return SoftwareSigner(PrivateKey.read(key or ""))
    except InputError as problem:
        raise SettingsError(
            f"{named(gateway)}：key 不可用：{problem.what}",
            remedy="应为 SM2 私钥：未加密的 PEM，或 64 位十六进制。",
        ) from problem


def known_keys(gateway: GatewaySettings, option: str, given: Mapping[str, str]) -> dict[str, PublicKey]:
    """The keys in `option` by their certificates' serial numbers; `SettingsError` for what is none."""
    keys = {}
    for serial, text in given.items():
        if not is_serial(serial):
            raise SettingsError(f"{named(gateway)}：{option} 的键 {serial[:20]!r} 应为 12 位证书编号。")
        try:
            keys[serial.upper()] = PublicKey.read(text)
        except InputError as problem:
            raise SettingsError(
                f"{named(gateway)}：{option}.{serial} 不可用：{problem.what}",
                remedy="应为对方 SM2 证书或公钥的 PEM，或公钥的十六进制。",
            ) from problem
    return keys


def _address(gateway: GatewaySettings, device: str) -> URL:
    try:
        url = URL(device)
        good = url.scheme == "http" and bool(url.host) and not (url.user or url.fragment)
    except ValueError:
        good = False
    if not good or not is_loopback(url.host or ""):
        raise SettingsError(
            f"{named(gateway)}：device 应为本机的 http:// 地址。",
            remedy="密码机由本机上的签名接口程序代为调用；没有密码机时填 key。",
        )
    return url
