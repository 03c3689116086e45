"""What the demo's duty officer authors: a red warning, the order that calls the village heads out, an update, and the
all-clear of both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.alerts import form
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.authoring import new_identifier
from broadcaster.alerts.hazard import HAZARDS

SENDER = "daohu-demo@example.gov.cn"


def warning(hazard: str, now: datetime, regions: Sequence[str] = (DISTRICT_CODE,)) -> Alert:
    """The first issue: red, for the whole district or some of its `regions`, an exercise."""
    name = HAZARDS[hazard].chinese
    return _alert(
        now,
        hazard=hazard,
        colour="red",
        headline=f"{DISTRICT_NAME}发布{name}红色预警",
        description=f"预计未来6小时内{DISTRICT_NAME}将受{name}严重影响，情况危急。",
        regions=list(regions),
        instruction="请低洼地带、危旧房屋内的人员立即转移到就近的避灾安置点；其他人员留在坚固的室内，远离门窗。",
    )


def order(hazard: str, now: datetime) -> Alert:
    """The mobilization order: for the people on duty alone, who must confirm it as they confirm the warning."""
    name = HAZARDS[hazard].chinese
    return _alert(
        now,
        hazard=hazard,
        kind="mobilization",
        scope="Restricted",
        colour="red",
        headline=f"{DISTRICT_NAME}发布防御{name}动员令",
        description=f"{DISTRICT_NAME}立即进入防御{name}应急状态。",
        instruction="请立即到岗，逐户组织低洼地带、危旧房屋内的人员转移，清点人数并报告。",
    )


def stand_down(hazard: str, order: Alert, now: datetime) -> Alert:
    """The people who were called out may go home."""
    name = HAZARDS[hazard].chinese
    return _alert(
        now,
        hazard=hazard,
        kind="all_clear",
        scope="Restricted",
        msg_type="Cancel",
        references=[order.identifier],
        headline=f"{DISTRICT_NAME}解除防御{name}动员令",
        description=f"{name}对{DISTRICT_NAME}的影响已基本结束。",
        instruction="请核对已转移的人员，组织有序返回。",
    )


def update(hazard: str, first: Alert, now: datetime) -> Alert:
    """It gets worse: the same lineage, a new text."""
    name = HAZARDS[hazard].chinese
    return _alert(
        now,
        hazard=hazard,
        colour="red",
        msg_type="Update",
        references=[first.identifier],
        headline=f"{DISTRICT_NAME}继续发布{name}红色预警",
        description=f"{name}影响时间延长，预计还将持续4小时。",
        instruction="已转移的人员不要返回；仍在危险区域的人员立即转移。",
    )


def cancel(hazard: str, latest: Alert, now: datetime) -> Alert:
    """It is over."""
    name = HAZARDS[hazard].chinese
    return _alert(
        now,
        hazard=hazard,
        kind="all_clear",
        msg_type="Cancel",
        references=[latest.identifier],
        headline=f"{DISTRICT_NAME}解除{name}红色预警",
        description=f"{name}对{DISTRICT_NAME}的影响已基本结束。",
        instruction="已转移的人员请按村（社区）的安排有序返回。",
    )


def _alert(now: datetime, **fields: object) -> Alert:
    body = {
        "status": "Exercise",
        "regions": [DISTRICT_CODE],
        "sender_name": f"{DISTRICT_NAME}应急管理局",
        "sent": now,
        "expires": now + timedelta(hours=6),
        **fields,
    }
    return form.decode(msgspec.json.encode(body), now=now, sender=SENDER, identifier=new_identifier(DISTRICT_CODE, now))
