"""The mail server in the script."""

from __future__ import annotations

from broadcaster.rehearsal.script.front import FrontScript, Listen, host_and_port
from channels.line.settings import Address

SENDER = "yujing@rehearsal.example.cn"
"""The address that gateways have, unless another is given."""


class MailFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mail server listens at `listen`. `reports`: where it posts delivery reports (`/callbacks/<gateway>`), as a mail
    server does that pipes its bounce mailbox there, with `token` as bearer; "" = nowhere, nobody learns of them."""

    listen: Listen = "tcp:127.0.0.1:0"
    reports: str = ""
    token: str = ""

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (there is one)
        return {**host_and_port(at), "tls": "none", "sender": SENDER}
