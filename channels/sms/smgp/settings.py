"""The options of a gateway that speaks SMGP."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from channels.sms.session.options import Port, SpOptions, Word
from channels.sms.smgp.wire import VERSIONS, Account, Smgp


class SmgpOptions(SpOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys: `user` 企业代码 (ClientID), the tariff, and `sp`
    the SP code where the gateway wants it with every message (MsgSrc)."""

    user: Annotated[Word, Meta(min_length=1, max_length=8)]
    version: Literal["3.0", "3.3"] = "3.0"
    port: Port = 8890
    fee_type: Annotated[Word, Meta(max_length=2)] = "00"
    fee_code: Annotated[Word, Meta(max_length=6)] = "000000"
    fixed_fee: Annotated[Word, Meta(max_length=6)] = "000000"
    sp: Annotated[Word, Meta(max_length=8)] = ""

    def dialect(self) -> Smgp:
        return Smgp(
            Account(
                self.user,
                self.password,
                VERSIONS[self.version],
                self.source,
                self.service,
                self.fee_type,
                self.fee_code,
                self.fixed_fee,
                self.sp,
            ),
            self.busy,
        )
