"""The signatures of frames: SM2 over header and body, with the four octets of the time behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.seal import TIME, Seal
from channels.loudspeaker.signing.signer import Signer
from channels.loudspeaker.signing.sm2 import PublicKey
from channels.loudspeaker.terminal_tcp.dialect import Dialect, WireError


@dataclass(frozen=True, slots=True)
class Sealing:
    """Who signs for us, with which certificate; `keys` of terminals by their certificates' numbers, and what is asked
    of what they send. `timed`: the time is signed too. `all_of_it`: acknowledgements are signed as orders are."""

    signer: Signer
    serial: str
    keys: Mapping[str, PublicKey]
    policy: Policy
    dialect: Dialect
    timed: bool = True
    all_of_it: bool = True

    def seal(self, content: bytes, at: datetime) -> bytes:
        """The 74 octets for header and body. Blocks; `UnavailableError` when nobody signs."""
        time = self.dialect.time(at)
        signed = self.signer.sign(content + time if self.timed else content)
        return time + bytes.fromhex(self.serial) + signed

    def needs_proof(self, signature: bytes) -> bool:
        """Whether `proven` is to be asked about a frame with this signature ("": none); `WireError` where it is refused
        without being asked."""
        if self.policy is Policy.IGNORE:
            return False
        if not signature and self.policy is Policy.REQUIRE:
            raise WireError("no signature")
        known = bool(signature) and Seal.decode(signature).serial in self.keys
        if not known and self.policy is Policy.REQUIRE:
            raise WireError("a signature by a certificate that is not known")
        return known

    def proven(self, content: bytes, signature: bytes) -> bool:
        """Whether the certificate that is named, a known one, has signed this. Takes a millisecond or some."""
        seal = Seal.decode(signature)
        return self.keys[seal.serial].verify(content + signature[:TIME] if self.timed else content, seal.signature)
