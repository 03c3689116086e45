"""The OpenSSL command line as an independent party: keys, SM2 signatures, and a terminal's signatures made of them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.harness import parties

WIDTH = 32
DIGEST = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


def openssl(*arguments: object, within: Path) -> bytes:
    """What it says, run in a folder; the test is skipped where it has no SM2."""
    program = parties.program("openssl", package="openssl")
    curves = subprocess.run([program, "ecparam", "-list_curves"], capture_output=True, check=True).stdout
    if b"SM2" not in curves:
        parties.program("openssl-with-SM2", package="openssl (3, with SM2)")
    done = subprocess.run([program, *map(str, arguments)], cwd=within, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def from_der(der: bytes) -> bytes:
    """r and s, 32 octets each, of a signature as OpenSSL writes it."""
    at, found = 2, b""
    for _ in range(2):
        length = der[at + 1]
        found += der[at + 2 : at + 2 + length].lstrip(b"\0").rjust(WIDTH, b"\0")
        at += 2 + length
    return found


def to_der(octets: bytes) -> bytes:
    """A signature as OpenSSL reads it."""

    def integer(value: bytes) -> bytes:
        value = value.lstrip(b"\0")
        value = b"\0" + value if value[0] & 0x80 else value
        return bytes([2, len(value)]) + value

    body = integer(octets[:WIDTH]) + integer(octets[WIDTH:])
    return bytes([0x30, len(body)]) + body


class KeyPair:
    """`<name>.pem` and `<name>.public.pem` in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.private, self.public = folder / f"{name}.pem", folder / f"{name}.public.pem"
        openssl("genpkey", "-algorithm", "SM2", "-out", self.private, within=folder)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public, within=folder)


class OpensslSeals:
    """Signs a terminal's frames and verifies the platform's, by OpenSSL alone. `timed`: the time is signed too;
    `verified` counts the platform's signatures."""

    def __init__(
        self, folder: Path, own: KeyPair, serial: str, platform: KeyPair, platform_serial: str, *, timed: bool = True
    ) -> None:
        self._folder = folder
        self._own, self._platform = own, platform
        self._serial, self._platform_serial = serial, platform_serial
        self._timed = timed
        self.verified = 0

    def make(self, content: bytes) -> bytes:
        moment = int(time.time()).to_bytes(4)
        (self._folder / "said").write_bytes(content + moment if self._timed else content)
        signed = openssl("pkeyutl", "-sign", "-in", "said", "-inkey", self._own.private, *DIGEST, within=self._folder)
        return moment + bytes.fromhex(self._serial) + from_der(signed)

    def good(self, content: bytes, seal: bytes) -> bool:
        assert seal[4:10].hex() == self._platform_serial
        (self._folder / "heard").write_bytes(content + seal[:4] if self._timed else content)
        (self._folder / "seal").write_bytes(to_der(seal[10:]))
        openssl(
            "pkeyutl", "-verify", "-in", "heard", "-sigfile", "seal", "-pubin", "-inkey", self._platform.public,
            *DIGEST, within=self._folder,
        )  # fmt: skip
        self.verified += 1
        return True
