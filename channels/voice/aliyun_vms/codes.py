"""What Alibaba Cloud's codes for calls mean: the answers to a request, and what came of a call."""

from __future__ import annotations

from channels.cloud.meaning import Kind, Meaning
from channels.sms.aliyun.codes import CODES as SHARED
from channels.sms.aliyun.codes import NUMBER_BUSY

CODES = {
    **SHARED,
    "isv.MOBILE_NUMBER_ILLEGAL": Meaning(Kind.REFUSED, "号码格式不对"),
    "isv.COMPLAINT_REJECT": Meaning(Kind.REFUSED, "号码被防骚扰拦截"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Meaning(Kind.REFUSED, "变量不符合模板的变量规范"),
    # the number, for the time being
    "isv.BUSINESS_LIMIT_CONTROL": Meaning(Kind.LATER, "该号码被呼叫的次数已达频次上限", NUMBER_BUSY),
    "isv.VOICE_CALL_FAIL": Meaning(Kind.LATER, "呼叫没有发起", NUMBER_BUSY),
    # one template
    "isv.TTS_TEMPLATE_ILLEGAL": Meaning(Kind.LATER, "语音模板不存在或未通过审核"),
    "isv.TEMPLATE_ILLEGAL": Meaning(Kind.LATER, "语音模板不存在或未通过审核"),
    # the account
    "isv.DISPLAY_NUMBER_ILLEGAL": Meaning(Kind.HALT, "主叫号码不合法或不属于本账号"),
    "isv.BILLID_NOT_EXIST": Meaning(Kind.HALT, "主叫号码不属于本账号"),
    "isv.VOICE_ROBOT_NOT_PERIOD": Meaning(Kind.HALT, "不在允许呼叫的时段"),
    "isv.VOICE_CALL_PERIOD_ERROR": Meaning(Kind.HALT, "不在允许呼叫的时段"),
    "isv.PRODUCT_UN_SUBSCRIPT": Meaning(Kind.HALT, "账号没有开通语音服务"),
    "isv.PRODUCT_UNSUBSCRIBE": Meaning(Kind.HALT, "账号没有开通这项语音功能"),
    "isp.RAM_PERMISSION_DENY": Meaning(Kind.HALT, "子账号没有呼叫的权限"),
    "NoPermission": Meaning(Kind.HALT, "子账号没有呼叫的权限"),
}
"""Answers to a request; what is in no list here means what it means for short messages."""

HEARD = frozenset({"200000", "200008"})
"""The message was said to its end; 200008: and then no key came in time."""

CUT_SHORT = "200001"

OUTCOMES = {
    CUT_SHORT: "未听完",
    "200002": "占线",
    "200003": "无人接听",
    "200004": "号码不合法",
    "200005": "暂时无法接通",
    "200006": "语音播放失败",
    "200007": "不在服务区",
    "200010": "关机",
    "200011": "停机",
    "200104": "主叫号码受限",
    "200105": "被叫号码受限",
    "200117": "主叫号码不合法",
    "200118": "运营商在该时段限制呼叫",
    "200121": "超过账号的并发数",
}
"""Why a call has failed (the provider's list of call states)."""
