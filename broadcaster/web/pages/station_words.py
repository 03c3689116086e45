"""The words of the pages about stations and rules for codes."""

from __future__ import annotations

from broadcaster.triggers.elements import ELEMENTS
from broadcaster.triggers.quality import Verdict
from broadcaster.triggers.station import StationKind

STATION_SAID = {
    "rule_saved": "规则已保存。试运行或投入使用请另行设定。",
    "rule_set": "规则的运行方式已更改。",
    "rule_vetoed": "已否决，这条预警不会自动发出。",
    "rule_seen": "已知悉。",
}

STATION_AUDITED = {
    "rules.manage": "修改规则",
    "rules.set": "更改规则的运行方式",
    "rules.veto": "否决规则的预警",
    "rules.see": "知悉规则的提醒",
    "rules.act": "规则起草预警",
}

STATION_WORDS: dict[str, dict[str, str]] = {
    "station_kind": {kind.value: kind.chinese for kind in StationKind},
    "element": {element.name: element.chinese for element in ELEMENTS.values()},
    "reading_verdict": {
        str(Verdict.GOOD.value): "可用",
        str(Verdict.LATE.value): "迟到",
        str(Verdict.RANGE.value): "超出合理范围",
        str(Verdict.RATE.value): "突变",
        str(Verdict.STUCK.value): "长时间不变",
        str(Verdict.FUTURE.value): "时间在未来",
    },
    "rule_mode": {"off": "不运行", "shadow": "试运行（只记录）", "live": "投入使用"},
    "rule_step": {"raise": "触发", "rise": "升高", "clear": "回落", "lost": "失去读数"},
    "rule_deed": {"notify": "提醒值班员", "draft": "起草预警草稿", "hold": "倒计时发出", "issue": "立即发出"},
    "rule_state": {
        "open": "待处理",
        "held": "倒计时中",
        "issued": "已发出",
        "vetoed": "已否决",
        "over": "已过去",
        "failed": "未能执行",
        "seen": "已知悉",
    },
}
