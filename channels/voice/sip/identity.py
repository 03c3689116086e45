"""Who we are on a trunk, as every message says it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from channels.voice.sip.header import host_port
from channels.voice.sip.message import Header

PRODUCT = "Daohu"
MAGIC = "z9hG4bK"
"""With it begins every branch of RFC 3261."""

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"


@dataclass(frozen=True, slots=True)
class Identity:
    """`caller` is the number that is shown, `domain` the trunk's, `transport` UDP, TCP or TLS; `host` and `port` are
    where we are heard: our own end, or what it is outside of an address translation."""

    caller: str
    domain: str
    transport: str
    host: str
    port: int

    @property
    def address(self) -> str:
        return f"sip:{self.caller}@{self.domain}"

    @property
    def contact(self) -> str:
        transport = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"<sip:{self.caller}@{host_port(self.host, self.port)}{transport}>"

    def via(self, branch: str) -> str:
        return f"SIP/2.0/{self.transport} {host_port(self.host, self.port)};rport;branch={branch}"

    def number(self, dialled: str) -> str:
        """The URI of a number on the trunk."""
        return f"sip:{dialled}@{self.domain}"

    def common(self, call_id: str, sender: str, recipient: str, sequence: int, method: str) -> list[Header]:
        """The headers that every request has; its Via has a branch of its own."""
        return [
            ("via", self.via(new_branch())),
            ("max-forwards", "70"),
            ("from", sender),
            ("to", recipient),
            ("call-id", call_id),
            ("cseq", f"{sequence} {method}"),
            ("user-agent", PRODUCT),
        ]

    def at(self, host: str, port: int) -> Identity:
        return replace(self, host=host, port=port)


def new_branch() -> str:
    """The name of a transaction: nobody can guess it."""
    return MAGIC + secrets.token_hex(10)


def new_tag() -> str:
    """Our half of a dialog's name."""
    return secrets.token_hex(8)
