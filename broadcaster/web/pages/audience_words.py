"""The words of audiences, rosters and duties for codes."""

from __future__ import annotations

from audiences.tags import VULNERABILITIES

AUDIENCE_SAID = {
    "contact_changed": "联系方式已更正。",
    "contact_off": "已停用，不再向它发送。",
    "contact_on": "已重新启用。",
    "contact_added": "联系方式已添加。",
    "import_discarded": "已放弃，没有改动任何数据。",
    "shift_arranged": "已排班。",
    "shift_ended": "排班已取消。",
    "dead_off": "失效号码已停用。",
    "dead_none": "所选号码已不在失效名单中，没有改动。",
}

AUDIENCE_WORDS: dict[str, dict[str, str]] = {
    "medium": {"phone": "电话号码", "wechat": "微信", "email": "邮箱"},
    "rank": {"primary": "主", "deputy": "副"},
    "roster": {"households": "住户名册", "duties": "责任人名册", "terminals": "大喇叭名册", "regions": "区划"},
    "import": {
        "examine": "正在检查",
        "examined": "待您确认",
        "apply": "正在导入",
        "done": "已导入",
        "failed": "未能导入",
        "discarded": "已放弃",
    },
    "table": {
        "region": "区划",
        "household": "住户",
        "person": "人员",
        "contact": "联系方式",
        "duty": "职责",
        "terminal": "大喇叭",
    },
    "roster_field": {
        "region_code": "所属区域",
        "name": "户主",
        "address": "地址",
        "lon": "经度",
        "lat": "纬度",
        "tags": "标签",
        "risk": "风险值",
        "size": "人数",
        "active": "在册",
        "phone": "电话号码",
        "wechat": "微信号",
        "email": "电子邮箱",
        "language": "语言",
        "outline": "边界",
        "kind": "设备类型",
        "rank": "主副",
        "valid_from": "任职日期",
        "valid_to": "离任日期",
    },
    "target": {"pending": "等待中", "reached": "已到户", "unreached": "未到户"},
    "reached_by": {
        "sms": "短信",
        "wechat": "微信",
        "email": "邮件",
        "voice": "电话",
        "loudspeaker": "大喇叭",
        "response": "住户回复",
        "door": "入户",
    },
    "tag": {rule.tag: rule.names[0] for rule in VULNERABILITIES},
}

AUDIENCE_AUDITED = {
    "household.reveal": "查看一户的姓名和号码",
    "duties.reveal": "查看值守电话",
    "contact.correct": "更正联系方式",
    "contact.deactivate": "停用联系方式",
    "contact.activate": "重新启用联系方式",
    "contact.add": "添加联系方式",
    "contact.bind": "关注者验证手机后绑定微信",
    "contact.leave": "取消关注，微信停用",
    "contact.return": "重新关注，微信恢复",
    "contacts.bury": "停用失效号码",
    "contacts.export": "下载失效号码名单",
    "shift.arrange": "排班",
    "shift.end": "取消排班",
    "roster.import": "导入名册",
}
