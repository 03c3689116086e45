"""What a report about a broadcast proves, terminal by terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from broadcaster.ports import Evidence, Receipt
from channels.loudspeaker.ebd.broadcast import reference
from channels.loudspeaker.ebd.documents import CANCELLED, FAILED, PLAYED, EBMStateResponse, Playing
from channels.loudspeaker.ebd.profile import Profile
from channels.redaction import redacted

ENDS = frozenset({PLAYED, FAILED, CANCELLED})
WHOLE = re.compile(r"1(\.0*)?|100(\.0*)?%?")
"""A CoverageRate that leaves nobody out."""

_CODES = re.compile(r"[0-9]+")


def receipts(report: EBMStateResponse, profile: Profile, now: datetime) -> list[Receipt]:
    """A receipt for each terminal about which the report says that it has played, failed or was stopped."""
    found = {}
    for terminal, playing in _terminals(report, profile):
        if playing.brd_state_code in ENDS:
            at = playing.end_time or playing.rpt_time or report.rpt_time or now
            ref = reference(report.ebm.ebmid, terminal)
            found[ref] = _receipt(ref, playing.brd_state_code, playing.brd_state_desc, min(at, now))
    return list(found.values())


def of_the_whole(report: EBMStateResponse, terminals: Sequence[str], profile: Profile, now: datetime) -> list[Receipt]:
    """The same where we know which `terminals` a broadcast is for: those that the report does not name share the fate
    of the whole. That counts as played only where the coverage is said to be complete."""
    found = receipts(report, profile, now)
    named = {terminal for terminal, _ in _terminals(report, profile)}
    code = report.brd_state_code
    rate = (report.coverage.coverage_rate or "") if report.coverage is not None else ""
    if code not in ENDS or (code == PLAYED and not WHOLE.fullmatch(rate)):
        return found
    at = min(report.rpt_time or now, now)
    return found + [
        _receipt(reference(report.ebm.ebmid, terminal), code, report.brd_state_desc, at)
        for terminal in terminals
        if terminal not in named
    ]


def _terminals(report: EBMStateResponse, profile: Profile) -> Iterator[tuple[str, Playing]]:
    """What is said of each terminal: by BrdSysInfo, where some write several codes; where that is none, by whoever
    the item is about."""
    for item in report.played.items if report.played is not None else ():
        others = [one.ebrid or "" for one in (item.ebrst, item.ebras) if one is not None]
        for playing in item.ebrbs:
            codes = [one for one in _CODES.findall(playing.brd_sys_info or "") if profile.is_resource(one)]
            for code in codes or [one for one in others if profile.is_resource(one)][:1]:
                yield code, playing


def _receipt(ref: str, code: str, said: str | None, at: datetime) -> Receipt:
    if code == PLAYED:
        return Receipt(ref, None, Evidence.DELIVERED, "", at)
    word = "播发取消" if code == CANCELLED else "播发失败"
    why = redacted(said or "")
    return Receipt(ref, None, Evidence.FAILED, f"{word}：{why}" if why and why != word else word, at)
