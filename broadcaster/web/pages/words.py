"""The words that users see for codes, in the field's Chinese; English comes from the catalogue."""

from __future__ import annotations

from audiences.tags import VULNERABILITIES
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.kind import Kind
from broadcaster.alerts.state import State
from broadcaster.web.pages.account_words import ACCOUNT_WORDS
from broadcaster.web.pages.account_words import SAID as ACCOUNT_SAID
from broadcaster.web.pages.audience_words import AUDIENCE_AUDITED, AUDIENCE_SAID, AUDIENCE_WORDS

WORDS: dict[str, dict[str, str]] = {
    **ACCOUNT_WORDS,
    **AUDIENCE_WORDS,
    "audit_action": {**ACCOUNT_WORDS["audit_action"], **AUDIENCE_AUDITED},
    "section": {
        "alerts": "预警",
        "audience": "受众",
        "duties": "值守",
        "accounts": "账户管理",
        "audit": "审计",
    },
    "said": {
        **ACCOUNT_SAID,
        **AUDIENCE_SAID,
        "resent": "已按首选渠道重发。",
        "nothing_to_resend": "没有可以重发的：未到户的都正在重发，或没有联系方式。",
        "doors_assigned": "入户任务已指派。",
    },
    "delivery": {
        "queued": "待发",
        "unknown": "待核实",
        "submitted": "已提交",
        "delivered": "已送达",
        "failed": "失败",
        "expired": "过期",
        "cancelled": "取消",
    },
    "channel": {"sms": "短信", "wechat": "微信", "email": "邮件", "voice": "电话", "loudspeaker": "大喇叭"},
    "field": {
        "reported": "已上报，值班室能看到。",
        "photo": "照片已收到。",
        "door_done": "已记录：已入户告知。",
        "door_nobody": "已记录：无人在家，仍留在名单里。",
        "door_refused": "已记录：已告知，拒绝转移。",
        "door_help": "已记录并转给值班室：需要帮助。",
    },
    "door": {"done": "已告知", "nobody": "无人在家", "refused": "拒绝转移", "help": "需要帮助"},
    "msg_type": {"Alert": "发布", "Update": "更新", "Cancel": "解除"},
    "unit": {"waiting": "等待确认", "acknowledged": "已确认", "exhausted": "无人确认", "cancelled": "取消"},
    "role": {
        "village_head": "村书记",
        "grid_leader": "网格长",
        "grid_member": "网格员",
        "responder": "应急队员",
        "town_leader": "镇街带班",
        "duty_desk": "值班室",
    },
    "via": {"sms": "短信", "wechat": "微信", "email": "邮件", "voice": "电话", "link": "链接", "desk": "值班室"},
    "escalation": {
        "notify_primary": "通知责任人",
        "notify_deputy": "通知副职",
        "notify_superior": "通知上级",
        "duty_desk": "值班室人工联系",
        "door_tasks": "入户任务",
    },
    "notice": {"call": "电话联系", "holderless": "无人任职", "exhausted": "无人确认"},
    "help": {"open": "待处理", "done": "已办结"},
    "state": {state.value: state.chinese for state in State},
    "kind": {kind.value: kind.chinese for kind in Kind},
    "colour": {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"},
    "hazard": {slug: hazard.chinese for slug, hazard in HAZARDS.items()},
    "status": {"Actual": "实战", "Exercise": "演练", "System": "系统", "Test": "测试", "Draft": "草稿"},
    "household": {"pending": "等待中", "reached": "已到户", "unreached": "未到户"},
    "unreached_reason": {
        "no_contact": "没有联系方式",
        "all_failed": "各渠道都失败",
        "no_evidence": "没有回执",
        "escalated": "无人确认，转入户",
    },
    "deed": {
        "alert.create": "起草",
        "alert.edit": "修改",
        "alert.submit": "提交审核",
        "alert.recall": "撤回审核",
        "alert.approve": "批准",
        "alert.reject": "退回",
        "alert.issue": "发布",
        "alert.end": "结束",
        "alert.update": "起草更新",
        "alert.cancel": "起草解除",
        "alert.resend": "重发给未到户",
        "alert.archive": "归档",
        "help.close": "求助办结",
        "doors.assign": "指派入户任务",
    },
    "escalated": {
        "notify_primary": "通知责任人",
        "notify_deputy": "通知副职",
        "notify_superior": "通知上级",
        "duty_desk": "转值班室人工联系",
        "door_tasks": "转入户任务",
        "acknowledged": "确认",
        "exhausted": "已无人可找",
        "cancelled": "不再等待确认",
    },
    "closed": {"1": "被新的消息取代", "2": "到期", "3": "结束发送"},
    "tag": {rule.tag: rule.names[0] for rule in VULNERABILITIES},
    "stage": {
        "first_submit": "第一条发出",
        "reached_half": "50%的住户已到户",
        "reached_most": "90%的住户已到户",
        "reached_all_but": "99%的住户已到户",
        "confirmed": "责任单元全部确认",
    },
}
