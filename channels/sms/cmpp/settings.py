"""The options of a gateway that speaks CMPP."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from channels.sms.cmpp.wire import VERSION_2, VERSION_3, Account, Cmpp
from channels.sms.session.options import Port, SpOptions, Word

VERSIONS = {"2.0": VERSION_2, "3.0": VERSION_3}


class CmppOptions(SpOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys: `user` 企业代码, and the tariff."""

    user: Annotated[Word, Meta(min_length=1, max_length=6)]
    version: Literal["2.0", "3.0"] = "2.0"
    port: Port = 7890
    fee_user: Annotated[int, Meta(ge=0, le=3)] = 2
    fee_type: Annotated[Word, Meta(max_length=2)] = "01"
    fee_code: Annotated[Word, Meta(max_length=6)] = "0"

    def dialect(self) -> Cmpp:
        return Cmpp(
            Account(
                self.user,
                self.password,
                VERSIONS[self.version],
                self.source,
                self.service,
                self.fee_user,
                self.fee_type,
                self.fee_code,
            ),
            self.busy,
        )
