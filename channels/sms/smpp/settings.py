"""The options of a gateway that speaks SMPP."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from channels.sms.session.options import CarrierOptions, Port, Seconds
from channels.sms.smpp.wire import Account, Smpp

Number = Annotated[int, Meta(ge=0, le=255)]


Ascii = Annotated[str, Meta(pattern=r"^[\x20-\x7e]*$", description="英文字符")]


def _word(least: int, most: int) -> Meta:
    """`most` is one less than the protocol's field, which ends with a zero."""
    return Meta(min_length=least, max_length=most)


class SmppOptions(CarrierOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys.

    `user` is the system_id, `source` the number that people see; `country` goes before the 11 digits of a number;
    `alphabet` is the gateway's default for texts in plain letters; `receipt_ids` how receipts write the id that the
    answer to the submit gave: the "same", the hex one in "decimal", the decimal one in "hex".
    """

    needed: ClassVar[str] = "host、user、password、source"

    user: Annotated[Ascii, _word(1, 15)]
    password: Annotated[Ascii, _word(0, 8)]
    source: Annotated[Ascii, _word(1, 20)]
    port: Port = 2775
    system_type: Annotated[Ascii, _word(0, 12)] = ""
    service: Annotated[Ascii, _word(0, 5)] = ""
    source_ton: Number = 0
    source_npi: Number = 1
    country: Literal["86", ""] = ""
    alphabet: Literal["gsm", "ascii"] = "gsm"
    receipt_ids: Literal["same", "decimal", "hex"] = "same"
    answer_timeout: Seconds = 30.0
    heartbeat: Seconds = 30.0

    def dialect(self) -> Smpp:
        return Smpp(
            Account(
                user=self.user,
                password=self.password,
                system_type=self.system_type,
                source=self.source,
                source_ton=self.source_ton,
                source_npi=self.source_npi,
                country=self.country,
                service=self.service,
                gsm=self.alphabet == "gsm",
                receipt_ids=self.receipt_ids,
            ),
            self.busy,
        )
