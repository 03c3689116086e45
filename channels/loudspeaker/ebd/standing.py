"""How a broadcast that a platform above had ordered stands, as it wants to be told: an EBMStateResponse."""

from __future__ import annotations

from datetime import datetime

from broadcaster.ports import OrderStanding, OrderState
from channels.loudspeaker.ebd.documents import (
    CANCELLED,
    FAILED,
    PLAYED,
    Coverage,
    EBMStateResponse,
    MaybeResource,
    Playing,
    ResBrdInfo,
    ResBrdItem,
    WhichEBM,
)
from channels.loudspeaker.ebd.profile import AREA
from channels.loudspeaker.ebd.settings import EbdOptions

CODES = {
    OrderState.WAITING: "1",
    OrderState.UNDER_WAY: "2",
    OrderState.DONE: PLAYED,
    OrderState.FAILED: FAILED,
    OrderState.CANCELLED: CANCELLED,
}
"""BrdStateCode."""

WORDS = {
    OrderState.WAITING: "等待播发",
    OrderState.UNDER_WAY: "播发中",
    OrderState.DONE: "播发成功",
    OrderState.FAILED: "播发失败",
    OrderState.CANCELLED: "播发取消",
}
LONGEST = 200
_NONE = MaybeResource(ebrid=None)


def report(standing: OrderStanding, options: EbdOptions, now: datetime) -> EBMStateResponse:
    """All elements that the strictest receivers ask for: a coverage with an area, one adapter and one playing system,
    which are our platform as a whole; its terminals are ours to account for."""
    code, moment = CODES[standing.state], now.replace(microsecond=0)
    words = WORDS[standing.state]
    said = f"{words}：{standing.why}" if standing.why else words
    us = MaybeResource(ebrid=options.source)
    playing = Playing(
        rpt_time=moment,
        brd_sys_info=options.source,
        start_time=standing.began or moment,
        end_time=standing.ended or moment,
        brd_state_code=code,
        brd_state_desc=said[:LONGEST],
    )
    area = ",".join(region[:AREA].ljust(AREA, "0") for region in standing.regions)
    rate = 0.0 if standing.reached is None else standing.reached
    return EBMStateResponse(
        rpt_time=moment,
        ebm=WhichEBM(ebmid=standing.id),
        brd_state_code=code,
        brd_state_desc=said[:LONGEST],
        coverage=Coverage(
            coverage_rate=f"{rate:.2f}",
            area_code=area or options.source[options.dialect.area].ljust(AREA, "0"),
            res_brd_stat="1,0,1,1",
        ),
        played=ResBrdInfo(items=(ResBrdItem(ebrps=us, ebrst=_NONE, ebras=us, ebrbs=(playing,)),)),
    )
