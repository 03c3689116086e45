"""The words that users see for codes, in the field's Chinese; English comes from the catalogue."""

from __future__ import annotations

from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.kind import Kind
from broadcaster.alerts.state import State
from broadcaster.capacity.words import CHANNELS
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.web.pages.account_words import ACCOUNT_AUDITED, ACCOUNT_WORDS
from broadcaster.web.pages.account_words import SAID as ACCOUNT_SAID
from broadcaster.web.pages.audience_words import AUDIENCE_AUDITED, AUDIENCE_SAID, AUDIENCE_WORDS
from broadcaster.web.pages.compose_words import COMPOSE_WORDS
from broadcaster.web.pages.compose_words import SAID as COMPOSE_SAID
from broadcaster.web.pages.incoming_words import INCOMING_AUDITED, INCOMING_SAID, INCOMING_WORDS
from broadcaster.web.pages.station_words import STATION_AUDITED, STATION_SAID, STATION_WORDS

Groups = dict[str, dict[str, str]]


def _together(*subjects: Groups) -> Groups:
    """The groups of words of all subjects; ValueError where two have one of the same name."""
    made: Groups = {}
    for groups in subjects:
        if twice := made.keys() & groups.keys():
            raise ValueError(f"Two subjects have words called {', '.join(sorted(twice))}.")
        made |= groups
    return made


_AUDITED = {
    **ACCOUNT_AUDITED,
    **AUDIENCE_AUDITED,
    **INCOMING_AUDITED,
    **STATION_AUDITED,
    "alert.resend": "重发给未到户的",
    "doors.assign": "指派入户任务",
    "households.print": "打印入户名单",
    "door.visit": "记录入户结果",
    "door.correct": "更正入户结果",
    "households.see": "查看未到户名单",
    "gateway.pause": "暂停网关",
    "gateway.resume": "恢复网关",
    "gateway.trial": "试发",
    "templates.manage": "修改模板",
    "policies.manage": "修改策略",
}

_OWN: Groups = {
    "audit_action": _AUDITED,
    "said": {
        **ACCOUNT_SAID,
        **AUDIENCE_SAID,
        **COMPOSE_SAID,
        **INCOMING_SAID,
        **STATION_SAID,
        "doors_assigned": "入户任务已指派。",
        "door_corrected": "入户记录已更正。",
        "door_withdrawn": "入户记录已撤回。",
        "saved": "已保存，从下一条预警起使用。",
        "given-up": "已恢复默认，从下一条预警起使用。",
        "gateway-paused": "网关已暂停。",
        "gateway-resumed": "网关已恢复使用。",
    },
    "delivery": {state.word: state.chinese for state in DeliveryState},
    "channel": {medium.value: word for medium, word in CHANNELS.items()},
    "field": {
        "reported": "已上报，值班室能看到。",
        "photo": "照片已收到。",
        "door_done": "已记录：已入户告知。",
        "door_nobody": "已记录：无人在家，仍留在名单里。",
        "door_refused": "已记录：已告知，拒绝转移。",
        "door_help": "已记录并转给值班室：需要帮助。",
        "door_corrected": "已更正。",
        "door_withdrawn": "已撤回。",
    },
    "door": {
        "done": "已告知",
        "nobody": "无人在家",
        "refused": "拒绝转移",
        "help": "需要帮助",
        "withdrawn": "撤回，没有去过",
    },
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
    "deed": _AUDITED
    | {
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
        "door.visit": "记录入户结果",
        "door.correct": "更正入户结果",
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
    "recall": {"open": "正在停止播放和呼叫", "done": "已停止播放和呼叫", "failed": "停止播放的指令没有送到网关"},
    "closed": {"1": "被新的消息取代", "2": "到期", "3": "结束发送"},
    "stage": {
        "first_submit": "第一条发出",
        "reached_half": "50%的住户已到户",
        "reached_most": "90%的住户已到户",
        "reached_all_but": "99%的住户已到户",
        "confirmed": "责任单元全部确认",
    },
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

WORDS = _together(_OWN, ACCOUNT_WORDS, AUDIENCE_WORDS, COMPOSE_WORDS, INCOMING_WORDS, STATION_WORDS)
"""By group and code."""
