"""The options of a gateway that speaks SMTP."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import InputError, SettingsError
from broadcaster.ports import GatewaySettings
from broadcaster.trust import is_loopback, tls_context
from channels.email.channel import address, international
from channels.email.seal import Seal, Seals
from channels.options import named, read_options

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$", description="一行文本，不含控制字符")]
HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:\[\]_-]+$", description="主机名或 IP 地址")]
Secret = Annotated[str, Meta(min_length=16)]

Mailbox = Annotated[str, Meta(pattern=r'^[^\x00-\x1f\x7f"\\]*$', description="邮箱文件夹名，不含引号和反斜杠")]

PORTS = {"none": 25, "starttls": 587, "implicit": 465}
IMAP_PORTS = {"none": 143, "starttls": 143, "implicit": 993}
Tls = Literal["starttls", "implicit", "none"]


class SmtpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `tls`: "starttls" (the server must offer it), "implicit" (TLS from the first byte) or "none". `ca`: a PEM file of
    authorities to trust besides the system's. `return_path`: the mailbox for bounces, which must take plus addresses
    (`bounce+7-12-1@…`); `bounce_token`: the secret of the seals on what may come back, which the mail server must also
    show when it posts bounces to `/callbacks/<gateway>`. `timeout` for one command, `data_timeout` for the answer to a
    whole mail.

    What comes back is taken at `listen` ("host:port" or "unix:/path", where our mail server hands it over), from an
    IMAP mailbox that is looked into every `imap_every` seconds, or both. `replies`: answers to `reply_to` end there as
    well and are read; it must take plus addresses.
    """

    host: HostName
    sender: Line
    port: Port | None = None
    tls: Tls = "starttls"
    ca: str = ""
    user: Line = ""
    password: Line = ""
    sender_name: Line = ""
    reply_to: Line = ""
    return_path: Line = ""
    bounce_token: Secret | None = None
    hostname: HostName | None = None
    replies: bool = False
    listen: Line = ""
    imap_host: HostName | None = None
    imap_port: Port | None = None
    imap_tls: Tls = "implicit"
    imap_user: Line = ""
    imap_password: Line = ""
    imap_folder: Mailbox = "INBOX"
    imap_every: Seconds = 30.0
    timeout: Seconds = 30.0
    data_timeout: Seconds = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: a host and port, or the `path` of a socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A gateway's options, checked: addresses in canonical form, the port decided, the TLS context made."""

    options: SmtpOptions
    port: int
    sender: str
    reply_to: str
    return_path: str
    tls_context: ssl.SSLContext | None
    imap_port: int
    imap_tls_context: ssl.SSLContext | None
    listen: Place | None
    seal: Seal
    reply_seal: Seal

    @property
    def seals(self) -> Seals:
        """How what comes back is told from forgeries."""
        return Seals(self.seal, self.reply_seal if self.options.replies else None)

    @property
    def intake(self) -> bool:
        """Whether what comes back by mail is taken in here."""
        return bool(self.sources)

    @property
    def sources(self) -> frozenset[str]:
        """From where what comes back is taken in, for comparison."""
        options = self.options
        mailbox = f"{options.imap_user} @ {options.imap_host} {options.imap_folder}" if options.imap_host else ""
        return frozenset({str(self.listen or ""), mailbox} - {""})

    @classmethod
    def read(cls, gateway: GatewaySettings) -> SmtpSettings:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        said = named(gateway)
        options = read_options(gateway, SmtpOptions, "host、sender")
        _credentials(said, options)
        _intake(said, options)
        sender = _mailbox(said, "sender", options.sender)
        return cls(
            options=options,
            port=options.port or PORTS[options.tls],
            sender=sender,
            reply_to=_mailbox(said, "reply_to", options.reply_to) if options.reply_to else "",
            return_path=_mailbox(said, "return_path", options.return_path) if options.return_path else "",
            tls_context=_tls(said, options, options.tls),
            imap_port=options.imap_port or IMAP_PORTS[options.imap_tls],
            imap_tls_context=_tls(said, options, options.imap_tls) if options.imap_host else None,
            listen=_place(said, options.listen) if options.listen else None,
            seal=Seal(options.bounce_token or sender),
            reply_seal=Seal(f"reply\0{options.bounce_token or sender}"),
        )


def _credentials(said: str, options: SmtpOptions) -> None:
    if bool(options.user) != bool(options.password):
        missing = "password" if options.user else "user"
        raise SettingsError(
            f"{said}：只写了一半登录信息，缺少 {missing}。", remedy="user 和 password 须同时填写或同时留空。"
        )
    if options.password and options.tls == "none" and not is_loopback(options.host):
        raise SettingsError(
            f'{said}：tls = "none" 会把密码明文发到 {options.host}。',
            remedy='请用 tls = "starttls" 或 "implicit"，或去掉 user 和 password。',
        )


def _intake(said: str, options: SmtpOptions) -> None:
    taken = bool(options.listen or options.imap_host)
    if (taken or options.replies) and options.bounce_token is None:
        raise SettingsError(
            f"{said}：没有 bounce_token，收到的退信和回信无法辨别真假。",
            remedy="请设置 bounce_token（至少 16 个字符）；它给每封邮件的退信、回信地址加封。",
        )
    if options.replies and not options.reply_to:
        raise SettingsError(f"{said}：replies 要求写明 reply_to。", remedy="请设置 reply_to，或去掉 replies。")
    if not options.imap_host:
        return
    if not (options.imap_user and options.imap_password):
        raise SettingsError(f"{said}：imap_host 要求写明 imap_user 和 imap_password。", remedy="请填写退信邮箱的账号。")
    if options.imap_tls == "none" and not is_loopback(options.imap_host):
        raise SettingsError(
            f'{said}：imap_tls = "none" 会把密码明文发到 {options.imap_host}。',
            remedy='请用 imap_tls = "implicit" 或 "starttls"。',
        )


def _place(said: str, written: str) -> Place:
    if written.startswith("unix:/"):
        return Place(path=written.removeprefix("unix:"))
    host, _, port = written.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        raise SettingsError(
            f"{said}：listen 不是可监听的地址。", remedy='应为 "127.0.0.1:10025" 或 "unix:/run/daohu/mail.sock"。'
        )
    return Place(host.strip("[]"), int(port))


def _mailbox(said: str, key: str, written: str) -> str:
    try:
        canonical = address(written)
    except InputError as problem:
        raise SettingsError(f"{said}：{key} 不是可用的邮箱地址。", remedy=problem.remedy) from problem
    if international(canonical):
        raise SettingsError(f"{said}：{key} 的 @ 前面含有非 ASCII 字符。", remedy="发件、退信和回复地址请用英文字母。")
    return canonical


def _tls(said: str, options: SmtpOptions, kind: Tls) -> ssl.SSLContext | None:
    return None if kind == "none" else tls_context(said, "ca", options.ca)
