"""What Alibaba Cloud's codes mean (the provider's lists of API error codes and of common errors)."""

from __future__ import annotations

from channels.cloud.meaning import UNLISTED, Kind, Meaning, meaning
from channels.http.provider import RETRY_AFTER

NUMBER_BUSY = 60.0
"""Seconds until a number that got too many messages is tried again."""

NOT_ALLOWED = frozenset({"isp.RAM_PERMISSION_DENY", "NoPermission", "Forbidden.RAM", "Forbidden.NoPermission"})
FORBIDDEN = 403

CODES = {
    # the number, or the text
    "isv.MOBILE_NUMBER_ILLEGAL": Meaning(Kind.REFUSED, "手机号格式不对或是空号段"),
    "isv.MOBILE_COUNT_OVER_LIMIT": Meaning(Kind.REFUSED, "号码数量超限"),
    "isv.BLACK_KEY_CONTROL_LIMIT": Meaning(Kind.REFUSED, "变量中有黑名单关键词"),
    "isv.PARAM_LENGTH_LIMIT": Meaning(Kind.REFUSED, "变量超过服务商允许的长度"),
    "isv.PARAM_NOT_SUPPORT_URL": Meaning(Kind.REFUSED, "变量中不能有链接，请把网址写进模板"),
    "isv.SMS_CONTENT_ILLEGAL": Meaning(Kind.REFUSED, "短信内容被禁止"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Meaning(Kind.REFUSED, "变量不符合模板的变量规范"),
    # the number, for the time being
    "isv.BUSINESS_LIMIT_CONTROL": Meaning(Kind.LATER, "该号码收到的短信已达频次上限", NUMBER_BUSY),
    # one template
    "isv.SMS_TEMPLATE_ILLEGAL": Meaning(Kind.LATER, "模板不存在或未通过审核"),
    "isv.INVALID_PARAMETERS": Meaning(Kind.LATER, "参数不合格，可能被代理改动"),
    "isv.INVALID_JSON_PARAM": Meaning(Kind.LATER, "变量不合格，可能被代理改动"),
    "isv.TEMPLATE_MISSING_PARAMETERS": Meaning(Kind.LATER, "模板的变量与网关设置中写的不同"),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Meaning(Kind.LATER, "模板是国际短信模板，不能发境内号码"),
    # the account
    "isv.SMS_SIGNATURE_ILLEGAL": Meaning(Kind.HALT, "短信签名不存在或未通过审核"),
    "isv.SMS_SIGN_ILLEGAL": Meaning(Kind.HALT, "短信签名被禁用"),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Meaning(Kind.HALT, "短信签名的适用场景与模板类型不符"),
    "isv.EXTEND_CODE_ERROR": Meaning(Kind.HALT, "扩展码用于了别的签名"),
    "isv.DENY_IP_RANGE": Meaning(Kind.HALT, "本机的出口地址不在中国大陆，被禁止"),
    "isv.DAY_LIMIT_CONTROL": Meaning(Kind.HALT, "已达控制台设置的日发送限额"),
    "isv.MONTH_LIMIT_CONTROL": Meaning(Kind.HALT, "已达控制台设置的月发送限额"),
    "isv.OUT_OF_SERVICE": Meaning(Kind.HALT, "业务停机：余额不足"),
    "isv.AMOUNT_NOT_ENOUGH": Meaning(Kind.HALT, "余额不足"),
    "isv.PRODUCT_UN_SUBSCRIPT": Meaning(Kind.HALT, "账号没有开通短信服务"),
    "isv.PRODUCT_UNSUBSCRIBE": Meaning(Kind.HALT, "账号没有开通短信服务"),
    "isv.ACCOUNT_NOT_EXISTS": Meaning(Kind.HALT, "账号不存在"),
    "isv.ACCOUNT_ABNORMAL": Meaning(Kind.HALT, "账号异常"),
    "isp.RAM_PERMISSION_DENY": Meaning(Kind.HALT, "子账号没有发送短信的权限"),
    "NoPermission": Meaning(Kind.HALT, "子账号没有发送短信的权限"),
    "Forbidden": Meaning(Kind.HALT, "账号被禁止调用接口"),
    "InvalidAccessKeyId": Meaning(Kind.HALT, "access_key_id 不存在或已停用"),
    "SignatureDoesNotMatch": Meaning(Kind.HALT, "签名不符：access_key_secret 不对，或代理改动了请求"),
    "IncompleteSignature": Meaning(Kind.HALT, "签名不符：access_key_secret 不对，或代理改动了请求"),
    "InvalidTimeStamp": Meaning(Kind.HALT, "本机时钟与服务商相差超过 15 分钟"),
    "SignatureNonceUsed": Meaning(Kind.LATER, "请求被当作重放", RETRY_AFTER),
    "Throttling": Meaning(Kind.HALT, "服务商限流", RETRY_AFTER),
    # the provider
    "isp": Meaning(Kind.UNCERTAIN, "服务商系统错误"),
    "InternalError": Meaning(Kind.UNCERTAIN, "服务商系统错误"),
    "ServiceUnavailable": Meaning(Kind.UNCERTAIN, "服务商暂时不可用"),
}


def may_not(code: str, status: int) -> bool:
    """Whether an account that may send is told by this that it may not look: policies have codes of many kinds."""
    return code in NOT_ALLOWED or (status == FORBIDDEN and meaning(CODES, code) is UNLISTED)
