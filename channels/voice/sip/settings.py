"""The options of a gateway that is a SIP trunk."""

from __future__ import annotations

import ssl
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from broadcaster.trust import tls_context
from channels.options import named, read_options
from channels.voice.sip.terms import Rules
from channels.voice.sip.timing import PATIENCE
from channels.voice.sip.wire import Where

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Word = Annotated[str, Meta(pattern=r"^[\x21-\x7e]*\Z", max_length=255, description="不含空格的英文字符，至多 255 个")]
Number = Annotated[str, Meta(pattern=r"^\+?[0-9*#]{1,32}\Z", description="1 到 32 位号码，可含 *、# 和开头的 +")]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:\-]{1,253}\Z", description="主机名或 IP 地址")]
Keys = Annotated[str, Meta(pattern=r"^[0-9*#A-D]*\Z", description="电话按键：0-9、*、#、A-D")]
Code = Annotated[int, Meta(ge=300, le=699)]

TLS_PORT = 5061


class SipOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `caller` 主叫号码; `domain` the trunk's name in addresses (its host if empty); `local` "address" or "address:port"
    of our end, `advertise` what that is outside of an address translation; `rtp_ports` "20000-29999"; `lines` calls at
    a time for each slot; `register`: sign in with `user` and `password`, for a trunk that does not know us by our
    address; `prefix` before every number; `congestion` the trunk's own codes for "no line now". How a call goes: see
    `Rules`; `farewell` for which calls may go on when the worker ends.
    """

    needed: ClassVar[str] = "host、caller"

    host: Host
    caller: Number
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    transport: Literal["udp", "tcp", "tls"] = "udp"
    ca_file: str = ""
    domain: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:\-\[\]]*\Z", max_length=253, description="主机名或 IP 地址")] = (
        ""
    )
    local: Annotated[
        str,
        Meta(
            pattern=r"^([0-9.]+|\[[0-9A-Fa-f:]+\])?(:[0-9]{1,5})?\Z", description="本机地址，可带端口，如 10.1.2.3:5060"
        ),
    ] = ""
    advertise: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]*\Z", description="IP 地址")] = ""
    rtp_ports: Annotated[str, Meta(pattern=r"^([0-9]{4,5}-[0-9]{4,5})?\Z", description="端口范围，如 20000-20999")] = ""
    user: Word = ""
    password: str = ""
    register: bool = False
    lines: Annotated[int, Meta(ge=1, le=1000)] = 10
    prefix: Annotated[str, Meta(pattern=r"^\+?[0-9*#]{0,16}\Z", description="至多 16 位号码，可含 *、# 和开头的 +")] = (
        ""
    )
    repeats: Annotated[int, Meta(ge=1, le=10)] = 2
    pause: Annotated[float, Meta(ge=0, le=30)] = 1.0
    key_wait: Annotated[float, Meta(ge=0, le=60)] = 5.0
    final_keys: Keys = "19"
    again_keys: Keys = "*"
    settle: Annotated[float, Meta(ge=0, le=4)] = 1.0
    ring_timeout: Seconds = 45.0
    farewell: Annotated[float, Meta(ge=0, le=600)] = 20.0
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = PATIENCE
    heartbeat: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    congestion: tuple[Code, ...] = ()

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        options = read_options(gateway, cls, cls.needed)
        options._check(gateway)
        return options

    @property
    def rules(self) -> Rules:
        """How its calls are made."""
        return Rules(
            repeats=self.repeats,
            pause=self.pause,
            key=self.key_wait,
            final=self.final_keys,
            again=self.again_keys,
            settle=self.settle,
            ring=self.ring_timeout,
            congestion=frozenset(self.congestion),
            user=self.user,
            password=self.password,
        )

    @property
    def ports(self) -> range | None:
        """The ports that sound may use, None: any."""
        if not self.rtp_ports:
            return None
        first, _, last = self.rtp_ports.partition("-")
        return range(int(first), int(last) + 1)

    def where(self, trust: ssl.SSLContext | None) -> Where:
        """Where the trunk is."""
        port = self.port or (TLS_PORT if self.transport == "tls" else 5060)
        return Where(self.host, port, self.transport, self._own(), trust)

    def trust(self, gateway: GatewaySettings) -> ssl.SSLContext | None:
        """Whom TLS trusts; None without TLS. `SettingsError` when `ca_file` cannot be read."""
        return tls_context(named(gateway), "ca_file", self.ca_file) if self.transport == "tls" else None

    def _own(self) -> tuple[str, int] | None:
        if not self.local:
            return None
        host, _, port = self.local.rpartition(":") if _has_port(self.local) else (self.local, "", "0")
        return (host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - the operator wrote a port and no address

    def _check(self, gateway: GatewaySettings) -> None:
        ports = self.ports
        if ports is not None and (not 1024 <= ports.start < 65536 or ports.stop > 65536 or len(ports) < 2 * self.lines):
            raise SettingsError(
                f"{named(gateway)}：rtp_ports {self.rtp_ports} 不够用。",
                remedy=f"每条线路要两个端口，{self.lines} 条线路至少 {2 * self.lines} 个，如 20000-20999。",
            )
        if self.register and not (self.user and self.password):
            raise SettingsError(f"{named(gateway)}：register 要有 user 和 password。", remedy="请填写注册用的账号。")
        if set(self.final_keys) & set(self.again_keys):
            raise SettingsError(
                f"{named(gateway)}：final_keys 与 again_keys 有相同的键。", remedy="一个键只能有一个用处。"
            )


def _has_port(local: str) -> bool:
    return ":" in local.rpartition("]")[2]
