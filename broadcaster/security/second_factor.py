"""The second factor's arithmetic: six digits that change every half minute (TOTP, RFC 6238).

The secret is derived from the installation's key and a seed kept with the account, so a copy of the database lets
nobody sign in. Whoever changes the key makes everybody enrol anew.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp

PERIOD = 30  # seconds of a time step; RFC 6238 section 5.2
DRIFT = 1  # steps that a phone's clock may be off, either way
DIGITS = 6
_SECRET_BYTES = 20  # RFC 4226 section 4, R6
_RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like something else


@dataclass(frozen=True, slots=True)
class Offer:
    """What an authenticator app must be told: the secret in base32, and both in one for a QR code (`otpauth:`)."""

    secret: str
    uri: str

    @property
    def spelled(self) -> str:
        """The secret in groups of four, for whoever has to type it."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))


class SecondFactor:
    """Makes and checks codes with the installation's key."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"daohu second factor", "sha256")

    def offer(self, account_id: int, seed: str, name: str, issuer: str) -> Offer:
        """What the account's owner puts into the app."""
        secret = self._secret(account_id, seed)
        return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer))

    def code(self, account_id: int, seed: str, now: datetime) -> str:
        """What the app shows at that moment."""
        return self._at(account_id, seed, _step(now))

    def step(self, account_id: int, seed: str, code: str, now: datetime) -> int | None:
        """The time step that `code` belongs to, if that is about now; else None. Blanks inside do not matter."""
        given = "".join(code.split())
        here = _step(now)
        right = [
            step
            for step in range(here - DRIFT, here + DRIFT + 1)
            if hmac.compare_digest(self._at(account_id, seed, step).encode(), given.encode("utf-8", "surrogatepass"))
        ]
        return max(right, default=None)

    def _at(self, account_id: int, seed: str, step: int) -> str:
        return pyotp.TOTP(self._secret(account_id, seed), digits=DIGITS, interval=PERIOD).generate_otp(step)

    def _secret(self, account_id: int, seed: str) -> str:
        derived = hmac.digest(self._key, f"{account_id}:{seed}".encode(), "sha256")
        return base64.b32encode(derived[:_SECRET_BYTES]).decode("ascii")


def new_seed() -> str:
    """Another seed means another secret."""
    return secrets.token_hex(16)


def recovery_codes(number: int = 10) -> list[str]:
    """New ones to print once, XXXXX-XXXXX: 50 bits each."""
    return [
        "-".join("".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(5)) for _ in "ab") for _ in range(number)
    ]


def plain_recovery_code(text: str) -> str:
    """A recovery code as somebody typed it, in the form in which it is compared."""
    return "".join(character for character in text.upper() if character.isascii() and character.isalnum())


def _step(now: datetime) -> int:
    return int(now.timestamp()) // PERIOD
