"""The options of a gateway that speaks SGIP."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from channels.listening.visitors import listens, network
from channels.sms.session.door import Threshold
from channels.sms.session.options import Port, SpOptions, Word
from channels.sms.sgip.sequence import Series
from channels.sms.sgip.wire import Account, Sgip

Name = Annotated[Word, Meta(min_length=1, max_length=16)]
Linger = Annotated[float, Meta(ge=0, le=3600)]


class SgipOptions(SpOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys.

    `node` 节点编号, `corporation` 企业代码 (the node's last five digits unless given), and the tariff. `listen` is
    where the gateway (SMG) brings reports and replies, `smg_user` and `smg_password` what it signs in with (ours unless
    given), `allow` the addresses or networks that it comes from, and `linger` the seconds for which we listen on when
    our own connections are gone.
    """

    needed: ClassVar[str] = "host、user、password、node、source、listen"

    user: Name
    password: Name
    node: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    listen: str
    port: Port = 8801
    smg_user: Annotated[Word, Meta(max_length=16)] = ""
    smg_password: Annotated[Word, Meta(max_length=16)] = ""
    allow: tuple[str, ...] = ()
    linger: Linger = 60.0
    corporation: Annotated[str, Meta(pattern=r"^([0-9]{1,5})?\Z", description="1 到 5 位数字")] = ""
    charge: Annotated[str, Meta(pattern=r"^[0-9]{0,21}\Z", description="至多 21 位数字")] = "0" * 21
    fee_type: Annotated[int, Meta(ge=0, le=255)] = 1
    fee_value: Annotated[str, Meta(pattern=r"^[0-9]{1,6}\Z", description="1 到 6 位数字")] = "0"

    def __post_init__(self) -> None:
        listens("listen", self.listen)
        for each in self.allow:
            network(each)

    @property
    def threshold(self) -> Threshold:
        host, port = listens("listen", self.listen)
        allowed = tuple(network(each) for each in self.allow)
        return Threshold(host, port, allowed, self.heartbeat, self.linger)

    def dialect(self) -> Sgip:
        account = Account(
            user=self.user,
            password=self.password,
            smg_user=self.smg_user or self.user,
            smg_password=self.smg_password or self.password,
            source=self.source,
            corporation=self.corporation or f"{self.node % 100_000:05d}",
            service=self.service,
            charge=self.charge,
            fee_type=self.fee_type,
            fee_value=self.fee_value,
        )
        return Sgip(account, Series(self.node), self.busy)
