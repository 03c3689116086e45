"""What Tencent Cloud's codes mean (the provider's lists of codes of SMS API 3.0 and of common errors)."""

from __future__ import annotations

from channels.cloud.meaning import Kind, Meaning
from channels.http.provider import RETRY_AFTER

NUMBER_BUSY = 60.0
"""Seconds until a number that got too many messages is tried again."""

NOT_ALLOWED = frozenset(
    {
        "AuthFailure.UnauthorizedOperation",
        "FailedOperation.NotEnterpriseCertification",
        "UnauthorizedOperation",
        "UnauthorizedOperation.RequestPermissionDeny",
    }
)
"""Codes by which an account that may send is told that it may not look."""

CODES = {
    # the number, or the text
    "InvalidParameterValue.IncorrectPhoneNumber": Meaning(Kind.REFUSED, "手机号格式不对"),
    "InvalidParameterValue.ContentLengthLimit": Meaning(Kind.REFUSED, "短信太长"),
    "InvalidParameterValue.TemplateParameterFormatError": Meaning(Kind.REFUSED, "变量不符合模板的变量规范"),
    "InvalidParameterValue.TemplateParameterLengthLimit": Meaning(Kind.REFUSED, "变量超过服务商允许的长度"),
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": Meaning(
        Kind.REFUSED, "变量中不能有链接，请把网址写进模板"
    ),
    "InvalidParameter.DirtyWordFound": Meaning(Kind.REFUSED, "短信内容含有敏感词"),
    "FailedOperation.ContainSensitiveWord": Meaning(Kind.REFUSED, "短信内容含有敏感词"),
    "FailedOperation.PhoneNumberInBlacklist": Meaning(Kind.REFUSED, "号码在免打扰名单中"),
    "FailedOperation.PhoneNumberOnBlacklist": Meaning(Kind.REFUSED, "号码在免打扰名单中"),
    "UnsupportedOperation": Meaning(Kind.REFUSED, "不支持发往该号码"),
    # the number, for the time being
    "LimitExceeded.DeliveryFrequencyLimit": Meaning(Kind.LATER, "命中频率限制策略", NUMBER_BUSY),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Meaning(Kind.LATER, "该号码 30 秒内的短信已达上限", 30.0),
    "LimitExceeded.PhoneNumberOneHourLimit": Meaning(Kind.LATER, "该号码 1 小时内的短信已达上限", NUMBER_BUSY),
    "LimitExceeded.PhoneNumberDailyLimit": Meaning(Kind.LATER, "该号码当日的短信已达上限", NUMBER_BUSY),
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Meaning(Kind.LATER, "该号码当日的相同内容已达上限", NUMBER_BUSY),
    # one template
    "FailedOperation.TemplateIncorrectOrUnapproved": Meaning(Kind.LATER, "模板未通过审核，或内容与模板不符"),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Meaning(Kind.LATER, "变量个数与审核通过的模板不符"),
    "FailedOperation.TemplateUnapprovedOrNotExist": Meaning(Kind.LATER, "模板不存在或未通过审核"),
    "FailedOperation.MarketingSendTimeConstraint": Meaning(Kind.LATER, "模板是营销短信，夜间不发"),
    # the account
    "FailedOperation.InsufficientBalanceInSmsPackage": Meaning(Kind.HALT, "套餐包余量不足"),
    "FailedOperation.SignatureIncorrectOrUnapproved": Meaning(Kind.HALT, "短信签名不存在或未通过审核"),
    "FailedOperation.MissingSignature": Meaning(Kind.HALT, "账号没有短信签名"),
    "FailedOperation.MissingSignatureList": Meaning(Kind.HALT, "短信签名未通过审核"),
    "FailedOperation.MissingTemplateList": Meaning(Kind.HALT, "模板未通过审核"),
    "FailedOperation.NotEnterpriseCertification": Meaning(Kind.HALT, "账号没有企业认证"),
    "InvalidParameterValue.SdkAppIdNotExist": Meaning(Kind.HALT, "app_id 不存在"),
    "InvalidParameter.AppidAndBizId": Meaning(Kind.HALT, "账号与 app_id 不匹配"),
    "LimitExceeded.AppDailyLimit": Meaning(Kind.HALT, "已达控制台设置的日发送限额"),
    "LimitExceeded.AppMainlandChinaDailyLimit": Meaning(Kind.HALT, "已达控制台设置的日发送限额"),
    "LimitExceeded.DailyLimit": Meaning(Kind.HALT, "已达日发送限额"),
    "UnauthorizedOperation": Meaning(Kind.HALT, "账号没有权限"),
    "UnauthorizedOperation.SerivceSuspendDueToArrears": Meaning(Kind.HALT, "欠费停服"),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Meaning(Kind.HALT, "欠费停服"),
    "UnauthorizedOperation.RequestIpNotInWhitelist": Meaning(Kind.HALT, "本机的出口地址不在白名单中"),
    "UnauthorizedOperation.SdkAppIdIsDisabled": Meaning(Kind.HALT, "app_id 已被停用"),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": Meaning(Kind.HALT, "app_id 校验失败"),
    "AuthFailure": Meaning(Kind.HALT, "密钥校验失败：secret_id 或 secret_key 不对"),
    "AuthFailure.SignatureExpire": Meaning(Kind.HALT, "本机时钟与服务商相差超过 5 分钟"),
    "AuthFailure.UnauthorizedOperation": Meaning(Kind.HALT, "子账号没有发送短信的权限"),
    "InternalError.RequestTimeException": Meaning(Kind.HALT, "本机时钟与服务商相差太多"),
    "InternalError.SigFieldMissing": Meaning(Kind.HALT, "密钥校验失败"),
    "InternalError.SigVerificationFail": Meaning(Kind.HALT, "密钥校验失败"),
    "IpInBlacklist": Meaning(Kind.HALT, "本机的出口地址在黑名单中"),
    "IpNotInWhitelist": Meaning(Kind.HALT, "本机的出口地址不在白名单中"),
    "RequestLimitExceeded": Meaning(Kind.HALT, "服务商限流", RETRY_AFTER),
    "LimitExceeded": Meaning(Kind.HALT, "超过配额"),
    # the provider
    "InternalError": Meaning(Kind.UNCERTAIN, "服务商系统错误"),
    "ServiceUnavailable": Meaning(Kind.UNCERTAIN, "服务商暂时不可用"),
}
