"""Debian's Mosquitto as a broker of its own in a temporary folder: it keeps sessions over its restarts."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.certificates import Certificates
from tests.harness.parties import program
from tests.harness.ports import free_port, socket_folder
from tests.harness.waiting import wait_for

USER, PASSWORD = "daohu", "correct-horse"
SETTINGS = """
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_inflight_messages 1000
max_queued_messages 0
allow_anonymous false
password_file {folder}/passwords
listener {port} 127.0.0.1
"""
KEPT = "mosquitto.db"
"""Where it keeps sessions and messages."""
TLS = """
listener {tls_port} 127.0.0.1
certfile {chain}
keyfile {key}
"""


@dataclass
class Mosquitto:
    """A broker that can be stopped, killed and started again; `tls_port` 0: without TLS."""

    command: str
    folder: Path
    port: int
    tls_port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.command, "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, what="Mosquitto")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(30)
            self.process = None

    def forget(self) -> None:
        """Lose what it has kept, as with the disk of a broker that is set up anew. It must be stopped."""
        (self.folder / KEPT).unlink(missing_ok=True)

    def allow(self, rules: str) -> None:
        """Let accounts do what an access list says, from now on."""
        (self.folder / "rules").write_text(rules)
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def _answers(self) -> bool:
        assert self.process is None or self.process.poll() is None, "Mosquitto has ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


@contextmanager
def mosquitto(certificates: Certificates | None = None, *, rules: str = "", settings: str = "") -> Iterator[Mosquitto]:
    """A running broker with one account, which may do what `rules` (an access list) say, "" for everything; `settings`
    are further lines of its own."""
    command = program("mosquitto", "/usr/sbin/mosquitto", package="mosquitto")
    with socket_folder() as folder:
        made = Mosquitto(command, folder, free_port(), free_port() if certificates else 0)
        tls = ""
        if certificates is not None:
            chain, key = folder / "chain.pem", folder / "key.pem"
            chain.write_bytes(certificates.chain.read_bytes())
            key.write_bytes(certificates.key.read_bytes())
            tls = TLS.format(tls_port=made.tls_port, chain=chain, key=key)
        if rules:
            made.allow(rules)
            settings += f"\nacl_file {folder}/rules\n"
        common = SETTINGS.format(folder=folder, port=made.port)
        (folder / "mosquitto.conf").write_text(common + tls + settings)
        subprocess.run(
            [program("mosquitto_passwd", package="mosquitto"), "-b", "-c", str(folder / "passwords"), USER, PASSWORD],
            check=True,
            capture_output=True,
        )
        _give_away(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _give_away(folder: Path) -> None:
    """Started by root, the broker goes on as its own user."""
    if os.geteuid() != 0:
        return
    owner = pwd.getpwnam("mosquitto")
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
