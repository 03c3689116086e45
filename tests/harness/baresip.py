"""Debian's baresip as the phone that is called: it lifts the receiver by itself and records what it hears."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from channels.voice.sip.media.g711 import a_law
from tests.harness.calls import NUMBER
from tests.harness.certificates import certificates
from tests.harness.parties import program
from tests.harness.ports import free_port, listens
from tests.harness.waiting import wait_for

MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules")
CONFIG = """
sip_listen 127.0.0.1:{port}
sip_certificate {folder}/both.pem
audio_player aubridge,phone
audio_source aubridge,phone
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
snd_path {folder}
module_path {modules}
module g711.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
"""


@dataclass(frozen=True, slots=True)
class Phone:
    """It hears UDP and TCP at `port`, TLS at the next; `authority` has signed its certificate."""

    port: int
    folder: Path
    authority: Path

    def recorded(self) -> bytes:
        """What it heard of its one call, in A-law; it writes it down when the call is over."""

        def heard() -> bytes:
            for path in self.folder.glob("dump-*-dec.wav"):
                with suppress(wave.Error), wave.open(str(path), "rb") as sound:
                    assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (8000, 2, 1)
                    return sound.readframes(sound.getnframes())
            return b""

        return a_law(wait_for(heard, within=60, what="baresip's recording"))


@contextmanager
def baresip(folder: Path) -> Iterator[Phone]:
    """A phone with the number that tests call; only that one works there."""
    path = program("baresip", package="baresip-core")
    folder.mkdir()
    port = free_port()
    modules = next((one for one in MODULES if Path(one).is_dir()), MODULES[0])
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder, modules=modules), "utf-8")
    made = certificates(folder)
    (folder / "both.pem").write_bytes(made.chain.read_bytes() + made.key.read_bytes())
    account = f"<sip:{NUMBER}@127.0.0.1>;regint=0;answermode=auto;audio_codecs=PCMA/8000/1\n"
    (folder / "accounts").write_text(account, "utf-8")
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen([path, "-4", "-f", str(folder)], stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            wait_for(lambda: process.poll() is not None or listens(port, "tcp"), within=60, what="baresip to listen")
            assert process.poll() is None, log.read_text("utf-8", "replace")
            yield Phone(port, folder, made.authority)
        finally:
            process.terminate()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
