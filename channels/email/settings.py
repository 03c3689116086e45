"""The options of a gateway that speaks SMTP."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import InputError, SettingsError
from broadcaster.ports import GatewaySettings
from channels.email.channel import address, international
from channels.email.seal import Seal

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$")]
HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:\[\]_-]+$")]
Secret = Annotated[str, Meta(min_length=16)]

PORTS = {"none": 25, "starttls": 587, "implicit": 465}


class SmtpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `tls`: "starttls" (the server must offer it), "implicit" (TLS from the first byte) or "none". `ca`: a PEM file of
    authorities to trust besides the system's. `return_path`: the mailbox for bounces, which must take plus addresses
    (`bounce+7-12-1@…`); `bounce_token`: what the mail server must show when it posts bounces to
    `/callbacks/<gateway>`. `timeout` for one command, `data_timeout` for the answer to a whole mail.
    """

    host: HostName
    sender: Line
    port: Port | None = None
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca: str = ""
    user: Line = ""
    password: Line = ""
    sender_name: Line = ""
    reply_to: Line = ""
    return_path: Line = ""
    bounce_token: Secret | None = None
    hostname: HostName | None = None
    timeout: Seconds = 30.0
    data_timeout: Seconds = 120.0


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A gateway's options, checked: addresses in canonical form, the port decided, the TLS context made."""

    options: SmtpOptions
    port: int
    sender: str
    reply_to: str
    return_path: str
    tls_context: ssl.SSLContext | None
    seal: Seal

    @classmethod
    def read(cls, gateway: GatewaySettings) -> SmtpSettings:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        said = f"网关 {gateway.name!r}（email.smtp）"
        try:
            options = msgspec.convert(dict(gateway.options), SmtpOptions, strict=False)
        except msgspec.ValidationError as problem:
            allowed = "、".join(SmtpOptions.__struct_fields__)
            raise SettingsError(
                f"{said}：{problem}。", remedy=f"可用的键：{allowed}；host 和 sender 必填。"
            ) from problem
        _credentials(said, options)
        sender = _mailbox(said, "sender", options.sender)
        return cls(
            options=options,
            port=options.port or PORTS[options.tls],
            sender=sender,
            reply_to=_mailbox(said, "reply_to", options.reply_to) if options.reply_to else "",
            return_path=_mailbox(said, "return_path", options.return_path) if options.return_path else "",
            tls_context=_tls(said, options),
            seal=Seal(options.bounce_token or sender),
        )


def _credentials(said: str, options: SmtpOptions) -> None:
    if bool(options.user) != bool(options.password):
        missing = "password" if options.user else "user"
        raise SettingsError(
            f"{said}：只写了一半登录信息，缺少 {missing}。", remedy="user 和 password 须同时填写或同时留空。"
        )
    if options.password and options.tls == "none" and not _loopback(options.host):
        raise SettingsError(
            f'{said}：tls = "none" 会把密码明文发到 {options.host}。',
            remedy='请用 tls = "starttls" 或 "implicit"，或去掉 user 和 password。',
        )


def _mailbox(said: str, key: str, written: str) -> str:
    try:
        canonical = address(written)
    except InputError as problem:
        raise SettingsError(f"{said}：{key} 不是可用的邮箱地址。", remedy=problem.remedy) from problem
    if international(canonical):
        raise SettingsError(f"{said}：{key} 的 @ 前面含有非 ASCII 字符。", remedy="发件、退信和回复地址请用英文字母。")
    return canonical


def _tls(said: str, options: SmtpOptions) -> ssl.SSLContext | None:
    if options.tls == "none":
        return None
    context = ssl.create_default_context()
    if options.ca:
        try:
            context.load_verify_locations(cafile=options.ca)
        except OSError as problem:  # ssl.SSLError is one
            raise SettingsError(
                f"{said}：ca 文件 {options.ca} 读不出证书。", remedy="应为 PEM 格式的证书文件路径。"
            ) from problem
    return context


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
