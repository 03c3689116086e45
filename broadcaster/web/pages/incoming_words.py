"""The words of the pages about received messages and their sources; see `words.py`."""

from __future__ import annotations

INCOMING_SAID = {
    "incoming_aside": "已处理，不再提示。",
    "source_soon": "马上去取。",
    "subscriber_added": "已添加，从下一条预警起推送。",
    "subscriber_password": "口令已更换，下次推送起使用。",
    "subscriber_off": "已停用，不再推送。",
    "subscriber_on": "已启用，停用期间发布、仍然有效的会补发。",
    "webhook_again": "马上重发。",
}

INCOMING_AUDITED = {
    "incoming.draft": "用收到的消息起草",
    "incoming.act": "来源的消息自动成为预警",
    "incoming.aside": "收到的消息无需处理",
    "subscriber.add": "添加订阅者",
    "subscriber.secret": "更换订阅者的密钥",
    "subscriber.password": "更换订阅者给的口令",
    "subscriber.switch": "停用或启用订阅者",
    "subscriber.resend": "重发未送达的推送",
}

INCOMING_WORDS: dict[str, dict[str, str]] = {
    "incoming": {
        "new": "正在判断",
        "refused": "不合格",
        "repeated": "重复",
        "noted": "仅记录",
        "expired": "已失效",
        "outside": "外地",
        "replaced": "已被取代",
        "waiting": "待处理",
        "drafted": "已起草",
        "done": "无需处理",
    },
    "worth": {"accepted": "合格", "accepted-with-warnings": "合格（有提醒）", "refused": "不合格", "": "尚未判断"},
    "signed": {"": "没有签名", "unchecked": "有签名，未验证", "good": "签名有效", "bad": "签名无效"},
    "deed_of": {"Alert": "首发", "Update": "更新", "Cancel": "解除", "Ack": "收悉", "Error": "有误", "": "—"},
    "origin": {"api:alerts": "接口（alerts）"},
    "outlet": {"webhook": "webhook（有签名）", "cap": "CAP 报文", "mqtt": "MQTT 消息"},
    "trust": {"notify": "提请值班员", "draft": "自动起草"},
    "trouble": {
        "unreachable": "连接不上",
        "insecure": "证书或加密有问题",
        "slow": "太慢",
        "truncated": "内容不完整",
        "too_large": "内容太大",
        "misled": "被引向不能去的地址",
        "denied": "对方拒绝",
        "missing": "地址不存在",
        "busy": "对方繁忙",
        "broken": "对方出错",
        "nonsense": "内容看不懂",
    },
}
