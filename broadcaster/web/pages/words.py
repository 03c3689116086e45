"""The words that users see for codes, in the field's Chinese; English comes from the catalogue."""

from __future__ import annotations

from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.kind import Kind
from broadcaster.alerts.state import State
from broadcaster.web.pages.account_words import ACCOUNT_WORDS
from broadcaster.web.pages.account_words import SAID as ACCOUNT_SAID

WORDS: dict[str, dict[str, str]] = {
    **ACCOUNT_WORDS,
    "section": {
        "alerts": "预警",
        "gateways": "网关",
        "templates": "模板",
        "policies": "策略",
        "accounts": "账户管理",
        "audit": "审计",
    },
    "said": {
        **ACCOUNT_SAID,
        "saved": "已保存，从下一条预警起使用。",
        "given-up": "已恢复默认，从下一条预警起使用。",
        "gateway-paused": "网关已暂停。",
        "gateway-resumed": "网关已恢复使用。",
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
    "purpose": {"public": "群众", "unit": "责任人"},
    "occasion": {"warning": "预警", "mobilization": "动员令", "all_clear": "解除"},
    "folder": {
        "base": "通用版式",
        "mobilization": "动员令",
        "all_clear": "解除",
        **{slug: hazard.chinese for slug, hazard in HAZARDS.items()},
    },
    "tongue": {"zh-CN": "中文", "en": "英文"},
    "severity": {"error": "错误", "warning": "提醒", "notice": "说明"},
    "action": {
        "notify_primary": "通知主责任人",
        "notify_deputy": "通知副责任人",
        "notify_superior": "通知上一级",
        "duty_desk": "值班室人工联系",
        "door_tasks": "网格员入户",
        "households": "通知住户",
        "loudspeakers": "大喇叭播放",
        "give_up": "仍未触达的住户转入户任务",
        "exhausted": "无人确认，值班室提示",
    },
    "verdict": {
        "in_time": "来得及",
        "after_wait": "晚于等待时间",
        "overlapping": "与下一步重叠",
        "after_expiry": "失效前发不完",
        "never": "没有网关",
    },
    "breaker": {"closed": "正常", "probing": "试发中", "open": "断开"},
    "trial": {
        "waiting": "等待发送",
        "sending": "正在发送",
        "submitted": "网关已接收",
        "delivered": "已送达",
        "failed": "未送达",
        "rejected": "网关拒绝",
        "deferred": "网关暂不接收",
        "unknown": "没有答复",
        "expired": "没有发出：网关没有连接",
    },
}
