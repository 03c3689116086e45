"""Debian's Postfix as an instance of its own in a temporary folder: takes our mails, delivers them, and reports back.

`<anybody>@home.example.org` has a mailbox here, but `nobody…`; mails for `ebs.example.cn` go by LMTP to whoever listens
at `back`; `next.example.org` is another server's, `down.example.org` one that is never there.
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.harness.parties import program, root
from tests.harness.ports import free_port, socket_folder
from tests.harness.waiting import wait_for

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_reject_unlisted_recipient = no
smtpd_sasl_type = dovecot
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
alias_maps =
relay_domains = ebs.example.cn
local_recipient_maps =
transport_maps = inline:{{
    {{ebs.example.cn = lmtp:inet:127.0.0.1:{back}}},
    {{next.example.org = smtp:[127.0.0.1]:{next}}},
    {{down.example.org = smtp:[127.0.0.1]:{down}}} }}
virtual_mailbox_domains = home.example.org
virtual_mailbox_base = {folder}/home
virtual_mailbox_maps = regexp:{folder}/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
bounce_queue_lifetime = 1h
message_size_limit = 1000000
lmtp_destination_concurrency_limit = 20
{more}
"""
MAILBOXES = r"""
if !/^nobody/
/@home\.example\.org$/ all/
endif
"""
DAEMONS = "/usr/lib/postfix/sbin"
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running instance: the port where it takes mails, and the one where it hands back what is for us."""

    folder: Path
    port: int
    back: int

    def delivered(self) -> list[EmailMessage]:
        """The mails in its mailboxes."""
        found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in self._files()]
        return [mail for mail in found if isinstance(mail, EmailMessage)]

    def log(self) -> str:
        """What it says about itself."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _files(self) -> list[Path]:
        return sorted((self.folder / "home" / "all" / "new").glob("*"))


@contextmanager
def postfix(*, next_port: int = 1, more: str = "") -> Iterator[Postfix]:
    """An instance; `next_port` is where another server listens, `more` further lines of main.cf."""
    command = program("postfix", "/usr/sbin/postfix", package="postfix")
    root("Postfix")
    with socket_folder() as folder:
        made = Postfix(folder, free_port(), free_port())
        _furnish(made, next_port, more, Path(command).parent)
        with subprocess.Popen(
            [command, "-c", str(folder / "etc"), "start-fg"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                wait_for(lambda: _answers(made.port, process), what=f"Postfix: {made.log()}")
                yield made
            finally:
                subprocess.run([command, "-c", str(folder / "etc"), "abort"], check=False, capture_output=True)
                process.wait(20)


def _furnish(made: Postfix, next_port: int, more: str, commands: Path) -> None:
    folder, owner = made.folder, pwd.getpwnam("postfix")
    folder.chmod(0o755)
    for name in ("etc", "spool", "data", "home"):
        (folder / name).mkdir()
    for name in ("data", "home"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    (folder / "mailboxes").write_text(MAILBOXES)
    values = {
        "folder": folder,
        "commands": commands,
        "daemons": DAEMONS,
        "uid": owner.pw_uid,
        "gid": owner.pw_gid,
        "back": made.back,
        "next": next_port,
        "down": free_port(),
        "more": more,
    }
    (folder / "etc" / "main.cf").write_text(MAIN.format(**values))
    (folder / "etc" / "master.cf").write_text(MASTER.format(port=made.port))


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            return line.recv(3) == b"220"
    except OSError:
        return False
