"""What a refusal means: SIP's final responses (RFC 3261 section 21) and, where the telephone network says why, its
causes (ITU-T Q.850 in a Reason header, RFC 3326)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

from channels.voice.sip.message import Response

CONGESTED_FOR = FORBIDDEN_FOR = 5.0
UNFIT_FOR = 30.0
"""Seconds until a call is placed again that found no line, that was refused without a reason, or that the trunk does
not let us place at all."""

LONGEST_RETRY = 300.0


class Kind(Enum):
    """What becomes of a call that was refused."""

    CONGESTED = auto()  # no line now: nobody's phone has rung
    UNFIT = auto()  # the trunk does not let us in as we are: somebody has to see to it
    DOUBTFUL = auto()  # refused, and whether this number or we are meant is not said: see `refusals.py`
    IMPOSSIBLE = auto()  # this number, never
    UNANSWERED = auto()  # the call was placed, and this came of it


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` for operators; `after` seconds for what may be tried again."""

    kind: Kind
    words: str
    after: float = 0.0


BUSY = Verdict(Kind.UNANSWERED, "占线")
NO_ANSWER = Verdict(Kind.UNANSWERED, "无人接听")
UNREACHABLE = Verdict(Kind.UNANSWERED, "暂时无法接通")
DECLINED = Verdict(Kind.UNANSWERED, "拒接")
NO_SUCH_NUMBER = Verdict(Kind.IMPOSSIBLE, "空号")
MOVED = Verdict(Kind.IMPOSSIBLE, "号码已改")
BARRED = Verdict(Kind.IMPOSSIBLE, "运营商不准呼叫该号码")
FORBIDDEN = Verdict(Kind.DOUBTFUL, "中继不准呼叫", FORBIDDEN_FOR)
CONGESTED = Verdict(Kind.CONGESTED, "线路拥塞", CONGESTED_FOR)
UNFIT = Verdict(Kind.UNFIT, "中继不接受呼叫", UNFIT_FOR)
UNAUTHORIZED = Verdict(Kind.UNFIT, "中继要求认证，用户名或密码不对", UNFIT_FOR)
NO_SOUND = Verdict(Kind.UNFIT, "中继不支持 G.711", UNFIT_FOR)
FAILED = Verdict(Kind.UNANSWERED, "呼叫失败")

STATUSES = {
    401: UNAUTHORIZED, 407: UNAUTHORIZED, 402: UNFIT, 403: FORBIDDEN, 404: NO_SUCH_NUMBER, 408: NO_ANSWER, 410: MOVED,
    415: NO_SOUND, 420: UNFIT, 429: CONGESTED, 480: UNREACHABLE, 484: NO_SUCH_NUMBER, 485: NO_SUCH_NUMBER, 486: BUSY,
    487: NO_ANSWER, 488: NO_SOUND, 491: CONGESTED, 500: CONGESTED, 502: CONGESTED, 503: CONGESTED, 504: CONGESTED,
    600: BUSY, 603: DECLINED, 604: NO_SUCH_NUMBER, 606: NO_SOUND, 607: DECLINED, 608: DECLINED,
}  # fmt: skip

CAUSES = {
    1: NO_SUCH_NUMBER, 3: UNREACHABLE, 17: BUSY, 18: NO_ANSWER, 19: NO_ANSWER, 20: UNREACHABLE, 21: DECLINED, 22: MOVED,
    27: UNREACHABLE, 28: NO_SUCH_NUMBER, 34: CONGESTED, 38: CONGESTED, 41: CONGESTED, 42: CONGESTED, 44: CONGESTED,
    47: CONGESTED,
}  # fmt: skip

_CAUSE = re.compile(r"(?i)Q\.850\b[^,]*?;\s*cause\s*=\s*([0-9]{1,3})")
_SECONDS = re.compile(r"\s*([0-9]{1,6})")


def verdict(response: Response, congestion: Collection[int] = ()) -> Verdict:
    """What a final response that refuses means; `congestion`: the trunk's own codes for "no line"."""
    found = STATUSES.get(response.status)
    if found is None:
        found = MOVED if response.status < 400 else CONGESTED if 500 <= response.status < 600 else FAILED
    for reason in response.all("reason"):
        if (match := _CAUSE.search(reason[:256])) is not None and int(match[1]) in CAUSES:
            found = CAUSES[int(match[1])]
            break
    if response.status in congestion:
        found = CONGESTED
    wait = _SECONDS.match(response.first("retry-after"))
    after = min(float(wait[1]), LONGEST_RETRY) if wait and found.kind is Kind.CONGESTED else 0.0
    return Verdict(found.kind, f"{found.words}（{response.status}）", after or found.after)
