"""Debian's Dovecot as an instance of its own in a temporary folder: mailboxes over IMAP, and the passwords for
Postfix."""

from __future__ import annotations

import imaplib
import os
import pwd
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.certificates import Certificates
from tests.harness.parties import program, root
from tests.harness.ports import free_port, socket_folder
from tests.harness.waiting import wait_for

USER, PASSWORD = "tuixin", "correct-horse-battery"
SETTINGS = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = plain login
mail_location = maildir:{folder}/home/%u
first_valid_uid = 1
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth}
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running instance: IMAP with STARTTLS at `plain`, under TLS at `port`; `auth` answers Postfix's questions."""

    folder: Path
    plain: int
    port: int
    auth: int
    certificates: Certificates

    def put(self, mail: bytes) -> None:
        """Put a mail into the mailbox."""
        with self._client() as client:
            answer, _ = client.append("INBOX", "", "", mail)
            assert answer == "OK"

    def flags(self) -> Sequence[str]:
        """The flags of each mail in the mailbox."""
        with self._client() as client:
            _, count = client.select("INBOX", readonly=True)
            found = client.fetch("1:*", "(FLAGS)")[1] if count != [b"0"] else []
            return [piece.decode() for piece in found if isinstance(piece, bytes)]

    @contextmanager
    def _client(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=self.certificates.trusting()) as client:
            client.login(USER, PASSWORD)
            yield client


@contextmanager
def dovecot(certificates: Certificates) -> Iterator[Dovecot]:
    """An instance with one mailbox."""
    command = program("dovecot", "/usr/sbin/dovecot", package="dovecot-imapd")
    root("Dovecot")
    with socket_folder() as folder:
        made = Dovecot(folder, free_port(), free_port(), free_port(), certificates)
        _furnish(made)
        with subprocess.Popen([command, "-F", "-c", str(folder / "dovecot.conf")]) as process:
            try:
                wait_for(lambda: _answers(made.port, process), within=60, what="Dovecot")
                yield made
            finally:
                process.terminate()
                process.wait(20)


def _furnish(made: Dovecot) -> None:
    folder, owner = made.folder, pwd.getpwnam("dovecot")
    folder.chmod(0o755)
    for name in ("run", "state", "home"):
        (folder / name).mkdir()
    os.chown(folder / "home", owner.pw_uid, owner.pw_gid)
    values = {
        "folder": folder,
        "certificate": made.certificates.chain,
        "key": made.certificates.key,
        "plain": made.plain,
        "port": made.port,
        "auth": made.auth,
        "password": PASSWORD,
        "uid": owner.pw_uid,
        "gid": owner.pw_gid,
    }
    (folder / "dovecot.conf").write_text(SETTINGS.format(**values))


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "Dovecot has ended"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
